// Trigonometric scalarizer: C(x, t) = psi(t) psi(t)^T x, times P where `scaled`,
//
//   psi_j(t) = sqrt(2/P) cos(frequency (floor(j/2) + 1) t + (j mod 2) pi/2)        |psi| = 1 where P is even; average rate 1/P
//
// with t the slot and `frequency` in radians per slot (0.37). Frequencies that agree modulo 2 pi, or are multiples of pi, do not excite all
// directions. message: b bits
#include "runtime/compression/probed.hpp"

namespace orrery {
namespace {

class Trigonometric final : public Scalarizer {
 public:
  explicit Trigonometric(Params& p) : frequency_(p.number("frequency", 0.37, above(0))) {
    scaled_ = p.flag("scaled", false);
  }
  std::string kind() const override { return "trigonometric"; }
  ProbeRule rule() const override { return {.family = ProbeRule::Family::trigonometric, .frequency = frequency_}; }
  CompressorClass traits(const BankShape& s) const override {
    const auto P = static_cast<double>(s.parameters);
    const double most = s.parameters % 2 == 0 ? 1 : 1 + 1 / P;  // |psi|^2
    return {
        .rate = scaled_ ? 1 : 1 / P, .bound = most * factor(s), .strong = true, .linear = true, .time_varying = true};
  }

 private:
  double frequency_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> trigonometric{
    "trigonometric", "one number: the product with cosines of time",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<Trigonometric>(p); }};
}
}  // namespace orrery
