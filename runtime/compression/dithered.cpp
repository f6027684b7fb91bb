// Dithered quantizer of b = `bits` bits (LEAD: Liu et al., ICLR 2021): C(x) = |x|_inf 2^-(b-1) sign(x) floor(2^(b-1) |x| / |x|_inf + u), u ~ U[0,1).
//
//   E C(x) = x,  E|C(x) - x|^2 <= (P/4^b) |x|^2
//   message: P (1 + b) + b_f bits, or Elias codes (coding)
#include <cmath>

#include "runtime/compression/quantised.hpp"

namespace orrery {
namespace {

class Dithered final : public Quantiser {
 public:
  explicit Dithered(Params& p) {
    bits_ = p.integer("bits", std::nullopt, between(1, 16));
    rule_ = {.map = QuantiseRule::Map::levels,
             .scale = QuantiseRule::Scale::max,
             .dither = true,
             .levels = int64_t{1} << (bits_ - 1),
             .code = read_coding(p)};
  }
  std::string kind() const override { return "dithered"; }
  CompressorClass traits(const BankShape& s) const override {
    const double share = static_cast<double>(s.parameters) / std::pow(4.0, static_cast<double>(bits_));
    return {.omega = share,
            .rate = 1,
            .bound = 1 + 2 * std::sqrt(share),
            .random = true,
            .alike = false,
            .reason = "random rounding leaves noise where nodes agree"};
  }

 private:
  int64_t bits_ = 1;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> dithered{
    "dithered", "random rounding to 2^bits + 1 levels of the largest magnitude",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<Dithered>(p); }};
}
}  // namespace orrery
