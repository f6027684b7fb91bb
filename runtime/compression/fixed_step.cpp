// Fixed-step uniform quantizer, the negative example: C(x) = D floor(x / D + 1/2), D = `step`.
//
//   Not ST: every x with |x_j| < D/2 is sent as 0, so that a flow stops at distance O(D).
//   message: Elias codes of the levels (wire/levels.hpp), as long as they are
#include "runtime/compression/quantised.hpp"

namespace orrery {
namespace {

class FixedStep final : public Quantiser {
 public:
  explicit FixedStep(Params& p) {
    rule_ = {.map = QuantiseRule::Map::grid, .step = p.number("step", std::nullopt, above(0))};
    rule_.code = read_elias(p);
  }
  std::string kind() const override { return "fixed-step"; }
  CompressorClass traits(const BankShape&) const override {
    return {.bound = 2, .spatio_temporal = false, .reason = "a fixed step sends nothing of numbers below half of it"};
  }
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> fixed_step{
    "fixed-step", "every coordinate to the nearest multiple of a step (negative example)",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<FixedStep>(p); }};
}
}  // namespace orrery
