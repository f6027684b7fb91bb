// QSGD (Alistarh et al., NeurIPS 2017) with s = `levels`: C(x)_j = |x|_2 sign(x_j) xi_j,  y = s |x_j| / |x|_2,
// xi_j = floor(y)/s, or (floor(y) + 1)/s with probability y - floor(y).
//
//   E C(x) = x,  E|C(x) - x|^2 <= min(P/s^2, sqrt(P)/s) |x|^2
//   message: P (1 + ceil(log2(s + 1))) + b bits; with coding = "elias-gamma" or "elias-omega" codes of the levels, shorter for small s
#include <algorithm>
#include <cmath>

#include "runtime/compression/quantised.hpp"

namespace orrery {
namespace {

class Qsgd final : public Quantiser {
 public:
  explicit Qsgd(Params& p) {
    rule_ = {.map = QuantiseRule::Map::levels,
             .scale = QuantiseRule::Scale::l2,
             .dither = true,
             .levels = p.integer("levels", std::nullopt, between(1, 1 << 20)),
             .code = read_coding(p)};
  }
  std::string kind() const override { return "qsgd"; }
  CompressorClass traits(const BankShape& s) const override {
    const auto P = static_cast<double>(s.parameters), levels = static_cast<double>(rule_.levels);
    return {.omega = std::min(P / (levels * levels), std::sqrt(P) / levels),
            .rate = 1,
            .bound = 1 + std::sqrt(P) / levels,
            .random = true,
            .alike = false,
            .reason = "random rounding leaves noise where nodes agree"};
  }
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> qsgd{"qsgd", "random rounding to levels of the norm",
                                    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<Qsgd>(p); }};
}
}  // namespace orrery
