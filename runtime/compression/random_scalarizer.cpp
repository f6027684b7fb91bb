// Random scalarizer: C(x, t) = psi psi^T x, times P where `scaled`, psi = g / |g| with g ~ N(0, I) drawn anew every `dwell` slots.
//
//   E|C(x) - x|^2 = (1 - 1/P) |x|^2, mean rate 1/P;  scaled  E C(x) = x, E|C(x) - x|^2 = (P - 1) |x|^2
//   shared = true: all workers of a replica draw alike: strong ST.  false: every worker draws for itself.
//   message: b bits; the receiver draws the same direction
#include "runtime/compression/probed.hpp"

namespace orrery {
namespace {

class RandomScalarizer final : public Scalarizer {
 public:
  explicit RandomScalarizer(Params& p) : dwell_(p.integer("dwell", 1, at_least(1))), shared_(p.flag("shared", true)) {
    scaled_ = p.flag("scaled", false);
  }
  std::string kind() const override { return "random-scalarizer"; }
  ProbeRule rule() const override { return {.family = ProbeRule::Family::normal, .dwell = dwell_, .alike = shared_}; }
  CompressorClass traits(const BankShape& s) const override {
    const auto P = static_cast<double>(s.parameters);
    CompressorClass c{
        .bound = factor(s), .strong = shared_, .linear = true, .time_varying = true, .random = true, .alike = shared_};
    if (scaled_) c.omega = P - 1;
    if (!scaled_) c.delta = 1 / P;
    c.rate = scaled_ ? 1 : 1 / P;
    if (!shared_) c.reason = "every node draws a direction of its own (shared = false)";
    return c;
  }

 private:
  int64_t dwell_;
  bool shared_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> random_scalarizer{
    "random-scalarizer", "one number: the product with a random direction",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<RandomScalarizer>(p); }};
}
}  // namespace orrery
