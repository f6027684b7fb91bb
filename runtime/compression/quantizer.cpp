// Normalised uniform quantizer of b = `bits` bits: C(x) = r sign(x) floor(|x| / r + 1/2),  r = |x|_inf / 2^(b-1).
//
//   |C(x)_j - x_j| <= r/2: contractive with delta = 1 - P/4^b where P < 4^b;  always x^T C(x) >= (2/3) |x|^2 / (1 + (P - 1)/4^b)
//   Not strong: steps of r, which does not vanish where the nodes agree.
//   message: P (1 + b) + b_f bits: sign and one of 2^(b-1) + 1 levels of every coordinate, and a float for |x|_inf; or Elias codes (coding)
#include <algorithm>
#include <cmath>

#include "runtime/compression/quantised.hpp"

namespace orrery {
namespace {

class Quantizer final : public Quantiser {
 public:
  explicit Quantizer(Params& p) {
    bits_ = p.integer("bits", std::nullopt, between(1, 16));
    rule_ = {.map = QuantiseRule::Map::levels,
             .scale = QuantiseRule::Scale::max,
             .levels = int64_t{1} << (bits_ - 1),
             .code = read_coding(p)};
  }
  std::string kind() const override { return "quantizer"; }
  CompressorClass traits(const BankShape& s) const override {
    const auto P = static_cast<double>(s.parameters);
    const double all = std::pow(4.0, static_cast<double>(bits_));
    CompressorClass c{.rate = 2.0 / 3 / (1 + (P - 1) / all),
                      .bound = std::min(2.0, 1 + std::sqrt(P / all)),
                      .reason = "a quantizer maps states that differ by less than a level to one message"};
    if (P < all) c.delta = 1 - P / all;
    return c;
  }

 private:
  int64_t bits_ = 1;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> quantizer{
    "quantizer", "every coordinate to the nearest of 2^bits + 1 levels",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<Quantizer>(p); }};
}
}  // namespace orrery
