// Zooming quantizer: the fixed-step one with a step that shrinks, C(x, t) = z(t) D floor(x / (z(t) D) + 1/2), z(t) = decay^t, D = `step`.
//
//   Stable where z(t) decays more slowly than the flow; as a map it has a dead zone like the fixed step. Keeps no state: z follows from t.
//   message: Elias codes of the levels (wire/levels.hpp); long where z falls behind the flow
#include "runtime/compression/quantised.hpp"

namespace orrery {
namespace {

class ZoomQuantizer final : public Quantiser {
 public:
  explicit ZoomQuantizer(Params& p) {
    rule_ = {.map = QuantiseRule::Map::grid,
             .step = p.number("step", std::nullopt, above(0)),
             .decay = p.number("decay", std::nullopt, {.min = 0, .max = 1, .min_open = true})};
    rule_.code = read_elias(p);
  }
  std::string kind() const override { return "zoom-quantizer"; }
  CompressorClass traits(const BankShape&) const override {
    return {.bound = 2,
            .spatio_temporal = false,
            .time_varying = rule_.decay < 1,
            .reason = "a shrinking step is stable only where it shrinks more slowly than the flow"};
  }
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> zoom_quantizer{
    "zoom-quantizer", "a fixed step that shrinks",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<ZoomQuantizer>(p); }};
}
}  // namespace orrery
