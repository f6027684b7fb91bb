// Random sparsifier: k coordinates drawn without replacement in every step, times P/k where `scaled`; 0 elsewhere.
//
//   biased  E|C(x) - x|^2 = (1 - k/P) |x|^2, mean rate k/P;  scaled  E C(x) = x, E|C(x) - x|^2 = (P/k - 1) |x|^2
//   shared = true: all workers of a replica draw alike, so that C = P(t) x with one P(t): strong ST.  false: every worker draws for itself.
//   message: k b bits; the receiver draws the same coordinates
#include "runtime/compression/kept.hpp"

namespace orrery {
namespace {

class RandK final : public Sparsifier {
 public:
  explicit RandK(Params& p) : kept_(p), scaled_(p.flag("scaled", false)), shared_(p.flag("shared", true)) {}
  std::string kind() const override { return "rand-k"; }
  void check(const BankShape& s) const override { kept_.check(s); }
  KeepRule rule(const BankShape& s) const override {
    return {.which = KeepRule::Which::drawn, .k = kept_.k, .alike = shared_, .factor = scaled_ ? 1 / share(s) : 1};
  }
  CompressorClass traits(const BankShape& s) const override {
    CompressorClass c{.strong = shared_, .linear = true, .time_varying = true, .random = true, .alike = shared_};
    if (!shared_) c.reason = "every node draws coordinates of its own (shared = false)";
    if (scaled_ || share(s) == 1) c.omega = 1 / share(s) - 1;
    if (!scaled_ || share(s) == 1) c.delta = share(s);
    c.rate = scaled_ ? 1 : share(s);
    c.bound = scaled_ ? 1 / share(s) : 1;
    return c;
  }

 private:
  double share(const BankShape& s) const { return static_cast<double>(kept_.k) / static_cast<double>(s.parameters); }
  KeptNumber kept_;
  bool scaled_, shared_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> rand_k{
    "rand-k", "k random coordinates; shared, scaled",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<RandK>(p); }};
}
}  // namespace orrery
