#include "runtime/compression/quantised.hpp"

#include "runtime/compression/wire/levels.hpp"

namespace orrery {
namespace {

template <class T>
class Quantised final : public Compression<T> {
 public:
  Quantised(const Context& ctx, const QuantiseRule& rule, int64_t rows, int64_t P, bool counted)
      : rule_(rule), P_(P), counted_(ctx, counted ? rows : 0) {}
  void apply(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> x, MatrixView<T> q) override {
    compress_quantise<T>(ctx, rows, slot, rule_, x, q, counted_.view());
  }
  VectorView<const int64_t> counted() const override { return counted_.view(); }
  void pack(const RowKey& key, const T* x, wire::BitWriter& out) const override {
    wire::pack_levels(rule_, key, x, P_, out);
  }
  void unpack(const RowKey& key, wire::BitReader& in, T* q) const override {
    wire::unpack_levels(rule_, key, in, q, P_);
  }

 private:
  QuantiseRule rule_;
  int64_t P_;
  Buffer<int64_t> counted_;
};

}  // namespace

int64_t Quantiser::bits(const BankShape& s, int64_t real_bits, int64_t) const {
  return wire::fixed_bits(rule_, s.parameters, real_bits);
}
bool Quantiser::has_counted() const { return wire::is_counted(rule_); }
int64_t Quantiser::workspace(Backend, const BankShape&, int64_t rows, int64_t) const {
  return has_counted() ? 8 * rows : 0;
}

std::unique_ptr<Compression<float>> Quantiser::bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                                    float) const {
  check(s);
  return std::make_unique<Quantised<float>>(ctx, rule_, rows.count, s.parameters, has_counted());
}
std::unique_ptr<Compression<double>> Quantiser::bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                                     double) const {
  check(s);
  return std::make_unique<Quantised<double>>(ctx, rule_, rows.count, s.parameters, has_counted());
}

QuantiseRule::Code read_coding(Params& p) {
  const std::string coding = p.choice("coding", "fixed", {"fixed", "elias-gamma", "elias-omega"});
  return coding == "fixed"         ? QuantiseRule::Code::fixed
         : coding == "elias-gamma" ? QuantiseRule::Code::gamma
                                   : QuantiseRule::Code::omega;
}

QuantiseRule::Code read_elias(Params& p) {
  return p.choice("coding", "elias-gamma", {"elias-gamma", "elias-omega"}) == "elias-omega" ? QuantiseRule::Code::omega
                                                                                            : QuantiseRule::Code::gamma;
}

}  // namespace orrery
