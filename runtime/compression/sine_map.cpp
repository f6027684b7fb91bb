// Sine map: C(x)_j = x_j + a sin(x_j), a = `amplitude` in [0, 1). No compression: it sends as many numbers as there are, and stands for the maps that
// theorem 1 is about (papers/st-compression.md 5, S11).
//
//   strongly monotone with m = 1 - a, |C(x) - C(y)| <= (1 + a) |x - y|: strong ST
//   x^T C(x) >= (1 - 0.2172... a) |x|^2, the least of sin(x)/x;  |C(x) - x| <= a |x|: contractive with delta = 1 - a^2
//   message: P b bits
#include "kernels/sine_map.hpp"

#include "runtime/compression/compressor.hpp"

namespace orrery {
namespace {

constexpr double least_of_sinc = -0.21723362821122166;

template <class T>
class SineMapped final : public Compression<T> {
 public:
  SineMapped(double a, int64_t P) : a_(a), P_(P) {}
  void apply(const Context& ctx, const Rows&, Slot, MatrixView<const T> x, MatrixView<T> q) override {
    sine_map<T>(ctx, a_, x, q);
  }
  void pack(const RowKey&, const T* x, wire::BitWriter& out) const override {
    for (int64_t j = 0; j < P_; ++j) out.real(detail::sine_mapped(a_, x[j]));
  }
  void unpack(const RowKey&, wire::BitReader& in, T* q) const override {
    for (int64_t j = 0; j < P_; ++j) q[j] = in.real<T>();
  }

 private:
  double a_;
  int64_t P_;
};

class SineMap final : public Compressor {
 public:
  explicit SineMap(Params& p) : a_(p.number("amplitude", 0.5, {.min = 0, .max = 1, .max_open = true})) {}
  std::string kind() const override { return "sine-map"; }
  CompressorClass traits(const BankShape&) const override {
    return {.delta = 1 - a_ * a_, .rate = 1 + a_ * least_of_sinc, .monotone = 1 - a_, .bound = 1 + a_, .strong = true};
  }
  int64_t bits(const BankShape& s, int64_t real_bits, int64_t) const override { return s.parameters * real_bits; }
  int64_t workspace(Backend, const BankShape&, int64_t, int64_t) const override { return 0; }
  std::unique_ptr<Compression<float>> bind(const Context&, const Rows&, const BankShape& s, float) const override {
    return std::make_unique<SineMapped<float>>(a_, s.parameters);
  }
  std::unique_ptr<Compression<double>> bind(const Context&, const Rows&, const BankShape& s, double) const override {
    return std::make_unique<SineMapped<double>>(a_, s.parameters);
  }

 private:
  double a_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> sine_map{
    "sine-map", "x + amplitude sin(x): a monotone map, no compression",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<SineMap>(p); }};
}
}  // namespace orrery
