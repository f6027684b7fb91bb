#include "runtime/compression/composition.hpp"

namespace orrery {
namespace {

// The draws of the inner compressor must not be those of an outer one of the same kind.
constexpr int32_t inner_repeat = 1 << 20;
Slot inner(Slot slot) { return slot.repeated(slot.repeat + inner_repeat); }
RowKey inner(RowKey key) {
  key.step.repeat += inner_repeat;
  return key;
}

template <class T>
class Composed final : public Compression<T> {
 public:
  Composed(const Context& ctx, int64_t rows, std::unique_ptr<Compression<T>> outer, std::unique_ptr<Compression<T>> b)
      : outer_(std::move(outer)),
        first_(dynamic_cast<Projection<T>*>(outer_.get())),
        then_(std::move(b)),
        m_(first_->payload()),
        y_(ctx, rows * m_),
        z_(ctx, rows * m_) {}

  void apply(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> x, MatrixView<T> q) override {
    const MatrixView<T> y = y_.view(rows.count, m_), z = z_.view(rows.count, m_);
    first_->gather(ctx, rows, slot, x, y);
    then_->apply(ctx, rows, inner(slot), y, z);
    first_->scatter(ctx, rows, slot, z, q);
  }
  VectorView<const int64_t> counted() const override { return then_->counted(); }
  void pack(const RowKey& key, const T* x, wire::BitWriter& out) const override {
    const auto at = first_->where(key, x);
    first_->write_where(at, out);
    then_->pack(inner(key), first_->numbers(key, at, x).data(), out);
  }
  void unpack(const RowKey& key, wire::BitReader& in, T* q) const override {
    const auto at = first_->read_where(key, in);
    std::vector<T> z(static_cast<size_t>(m_));
    then_->unpack(inner(key), in, z.data());
    first_->place(key, at, z.data(), q);
  }

 private:
  std::unique_ptr<Compression<T>> outer_;
  Projection<T>* first_;
  std::unique_ptr<Compression<T>> then_;
  int64_t m_;
  Buffer<T> y_, z_;
};

class Composition final : public Compressor {
 public:
  Composition(std::unique_ptr<Compressor> a, std::unique_ptr<Compressor> b) : a_(std::move(a)), b_(std::move(b)) {}

  std::string kind() const override { return a_->kind() + " + " + b_->kind(); }
  void check(const BankShape& s) const override {
    a_->check(s);
    b_->check(inside(s));
  }
  CompressorClass traits(const BankShape& s) const override {
    const CompressorClass a = a_->traits(s), b = b_->traits(inside(s));
    CompressorClass c;
    // A keeps a part of x and leaves the rest out: |C(x) - x|^2 = |x - A x|^2 + |A x - C(x)|^2, wherever A is not scaled
    const double share = b.delta.value_or(b.omega && *b.omega < 1 ? 1 - *b.omega : 0);
    if (a.delta && share > 0) c.delta = *a.delta * share;
    if (a.omega && b.omega) c.omega = (1 + *a.omega) * (1 + *b.omega) - 1;
    if (a.rate && b.rate) c.rate = *a.rate * *b.rate;
    c.bound = a.bound * b.bound;
    c.spatio_temporal = a.spatio_temporal && b.spatio_temporal;
    c.linear = a.linear && b.linear;
    c.strong = a.strong && b.strong && c.linear;
    c.time_varying = a.time_varying || b.time_varying;
    c.random = a.random || b.random;
    c.alike = a.alike && b.alike;
    c.reason = !a.reason.empty() ? a.reason : b.reason;
    return c;
  }
  int64_t bits(const BankShape& s, int64_t real_bits, int64_t slot) const override {
    return a_->where_bits(s) + b_->bits(inside(s), real_bits, slot);
  }
  bool has_counted() const override { return b_->has_counted(); }
  int64_t workspace(Backend b, const BankShape& s, int64_t rows, int64_t size) const override {
    return a_->workspace(b, s, rows, size) + b_->workspace(b, inside(s), rows, size) + 2 * rows * a_->payload(s) * size;
  }
  std::unique_ptr<Compression<float>> bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                           float) const override {
    return bound<float>(ctx, rows, s);
  }
  std::unique_ptr<Compression<double>> bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                            double) const override {
    return bound<double>(ctx, rows, s);
  }

 private:
  BankShape inside(const BankShape& s) const { return {.parameters = a_->payload(s)}; }
  template <class T>
  std::unique_ptr<Compression<T>> bound(const Context& ctx, const Rows& rows, const BankShape& s) const {
    check(s);
    return std::make_unique<Composed<T>>(ctx, rows.count, a_->bind(ctx, rows, s, T{}),
                                         b_->bind(ctx, rows, inside(s), T{}));
  }
  std::unique_ptr<Compressor> a_, b_;
};

}  // namespace

std::unique_ptr<Compressor> compose(std::unique_ptr<Compressor> a, std::unique_ptr<Compressor> b) {
  return std::make_unique<Composition>(std::move(a), std::move(b));
}

}  // namespace orrery
