// Sign with scale (Karimireddy et al., ICML 2019): C(x) = (|x|_1 / P) sign(x), sign(0) = 0.
//
//   |C(x) - x|^2 = (1 - |x|_1^2 / (P |x|^2)) |x|^2 where no number is 0: contractive, delta >= 1/P;  x^T C(x) = |x|_1^2 / P: rate >= 1/P
//   message: P + b bits; zeros among other numbers cost more (wire/levels.hpp)
#include "runtime/compression/quantised.hpp"

namespace orrery {
namespace {

class Sign final : public Quantiser {
 public:
  Sign() { rule_ = {.map = QuantiseRule::Map::sign, .scale = QuantiseRule::Scale::mean_l1}; }
  std::string kind() const override { return "sign"; }
  CompressorClass traits(const BankShape& s) const override {
    const double share = 1 / static_cast<double>(s.parameters);
    return {.delta = share, .rate = share, .bound = 1, .reason = "scaled signs map states that differ to one message"};
  }
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> sign_with_scale{
    "sign", "the mean magnitude times the signs",
    [](Params&) -> std::unique_ptr<Compressor> { return std::make_unique<Sign>(); }};
}
}  // namespace orrery
