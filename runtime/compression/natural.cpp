// Natural compression (Horvath et al., 2019): p = 2^floor(log2 |x_j|); C(x)_j = sign(x_j) p with probability 2 - |x_j|/p, else sign(x_j) 2 p; 0 -> 0.
//
//   E C(x) = x,  E|C(x) - x|^2 <= (1/8) |x|^2 (where no number lies below the smallest normal one)
//   message: 9 P bits, sign and exponent of a float; 12 P in double
#include "runtime/compression/quantised.hpp"

namespace orrery {
namespace {

class Natural final : public Quantiser {
 public:
  Natural() { rule_ = {.map = QuantiseRule::Map::natural, .dither = true}; }
  std::string kind() const override { return "natural"; }
  CompressorClass traits(const BankShape&) const override {
    return {.omega = 1.0 / 8,
            .rate = 1,
            .bound = 2,
            .random = true,
            .alike = false,
            .reason = "random rounding leaves noise where nodes agree"};
  }
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> natural{
    "natural", "random rounding to powers of two",
    [](Params&) -> std::unique_ptr<Compressor> { return std::make_unique<Natural>(); }};
}
}  // namespace orrery
