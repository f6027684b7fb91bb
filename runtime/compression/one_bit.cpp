// 1-bit quantizer: C(x) = (|x|_inf / 2) sign(x), sign(0) = 0.
//
//   x^T C(x) = |x|_inf |x|_1 / 2 >= |x|^2 / 2: rate 1/2;  |C(x)| <= (sqrt(P) / 2) |x|
//   Not strong: it is constant wherever no sign and no largest magnitude changes.
//   message: P + b bits; zeros among other numbers cost more (wire/levels.hpp)
#include <cmath>

#include "runtime/compression/quantised.hpp"

namespace orrery {
namespace {

class OneBit final : public Quantiser {
 public:
  OneBit() { rule_ = {.map = QuantiseRule::Map::sign, .scale = QuantiseRule::Scale::max, .factor = 0.5}; }
  std::string kind() const override { return "one-bit"; }
  CompressorClass traits(const BankShape& s) const override {
    return {.rate = 0.5,
            .bound = std::sqrt(static_cast<double>(s.parameters)) / 2,
            .reason = "a one-bit quantizer maps states that differ to one message"};
  }
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> one_bit{
    "one-bit", "half the largest magnitude times the signs",
    [](Params&) -> std::unique_ptr<Compressor> { return std::make_unique<OneBit>(); }};
}
}  // namespace orrery
