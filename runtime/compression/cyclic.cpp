// Cyclic scalarizer (temporal sampling): one coordinate after the other, each for `dwell` slots, times P where `scaled`.
//
//   C(x, t) = e_i e_i^T x,  i = floor(t / dwell) mod P        average rate exactly 1/P
//   message: b bits
#include "runtime/compression/kept.hpp"

namespace orrery {
namespace {

class Cyclic final : public Sparsifier {
 public:
  explicit Cyclic(Params& p) : dwell_(p.integer("dwell", 1, at_least(1))), scaled_(p.flag("scaled", false)) {}
  std::string kind() const override { return "cyclic"; }
  KeepRule rule(const BankShape& s) const override {
    return {.which = KeepRule::Which::block,
            .blocks = s.parameters,
            .dwell = dwell_,
            .factor = scaled_ ? static_cast<double>(s.parameters) : 1};
  }
  CompressorClass traits(const BankShape& s) const override {
    const auto P = static_cast<double>(s.parameters);
    return {
        .rate = scaled_ ? 1 : 1 / P, .bound = scaled_ ? P : 1, .strong = true, .linear = true, .time_varying = true};
  }

 private:
  int64_t dwell_;
  bool scaled_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> cyclic{
    "cyclic", "one coordinate after the other",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<Cyclic>(p); }};
}
}  // namespace orrery
