// Greedy sparsifier: the k coordinates of largest magnitude, of equal ones those with the lowest index first; 0 elsewhere.
//
//   |C(x) - x|^2 <= (1 - k/P) |x|^2,   x^T C(x) >= (k/P) |x|^2: rate k/P
//   Not strong: a coordinate may leave I while x grows, so C is not monotone, and C(x) = C(y) where x and y differ elsewhere.
//   message: k (b + ceil(log2 P)) bits, or P + k b with positions = "bitmap"
#include "runtime/compression/kept.hpp"

namespace orrery {
namespace {

class TopK final : public Sparsifier {
 public:
  explicit TopK(Params& p) : kept_(p) { bitmap_ = p.choice("positions", "indices", {"indices", "bitmap"}) == "bitmap"; }
  std::string kind() const override { return "top-k"; }
  void check(const BankShape& s) const override { kept_.check(s); }
  KeepRule rule(const BankShape&) const override { return {.which = KeepRule::Which::top, .k = kept_.k}; }
  CompressorClass traits(const BankShape& s) const override {
    const double share = static_cast<double>(kept_.k) / static_cast<double>(s.parameters);
    CompressorClass c{.delta = share, .rate = share, .bound = 1};
    if (kept_.k == s.parameters)
      c.strong = c.linear = true, c.monotone = 1;
    else
      c.reason = "top-k is not monotone: it maps states that differ outside their largest coordinates to one message";
    return c;
  }

 private:
  KeptNumber kept_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> top_k{
    "top-k", "the k coordinates of largest magnitude",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<TopK>(p); }};
}
}  // namespace orrery
