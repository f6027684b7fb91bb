// A double well on a line, the test bed of escape: a sharp well, a barrier, a flat well (kernels/nonconvex.hpp; the formula stands there).
// The defaults make the sharp well the deeper one: w = -0.964141, curvature 6.5445, against w = 0.999998, curvature 0.99997, 0.131181 higher.
#include <fmt/format.h>

#include <cmath>

#include "models/nonconvex.hpp"

namespace orrery {
namespace {

// The global minimiser. Where both branches rise or both fall there is no stationary point, so it lies between the places where one turns;
// the lowest of a grid's points has it beside it, and Newton steps, halved where they leave the bracket, end it to rounding.
std::optional<std::vector<double>> lowest(const TwoWell& f, double tilt) {
  const double turn[2] = {f.center[0] - tilt / (2 * f.steepness[0]), f.center[1] - tilt / (2 * f.steepness[1])};
  const double from = std::min(turn[0], turn[1]), to = std::max(turn[0], turn[1]);
  constexpr int points = 1000;
  const double cell = (to - from) / points;
  double best = from;
  for (int k = 0; k <= points; ++k) {
    const double w = from + cell * k;
    if (f.loss(tilt, &w) < f.loss(tilt, &best)) best = w;
  }
  double low = best - cell, high = best + cell;
  for (int k = 0; k < 200; ++k) {
    double slope = 0, curvature = 0;
    const double one = 1;
    f.gradient(tilt, &best, 0, &slope);
    f.hessian(tilt, &best, &one, 0, &curvature);
    (slope > 0 ? high : low) = best;
    double next = curvature > 0 ? best - slope / curvature : low;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (next == best) break;
    best = next;
  }
  return std::vector<double>{best};
}

class TwoWellSpec final : public ModelSpec {
 public:
  explicit TwoWellSpec(Params& p) : tilt_(p, "tilt", 0.0) {
    risk_.inverse_temperature = p.number("inverse_temperature", 1.0, at_least(1e-6));
    pair(p, "wells", risk_.center, {});
    pair(p, "steepness", risk_.steepness, at_least(1e-6));
    if (risk_.center[0] >= risk_.center[1]) p.fail("wells", "the first lies not left of the second; exchange them");
    risk_.noise = p.number("noise", 0.0, at_least(0));
    read_start(p);
  }
  std::string kind() const override { return "two-well"; }
  void check_workers(int64_t workers) const override { tilt_.check_workers(workers); }
  bool needs_data() const override { return false; }
  bool has_optimum() const override { return true; }
  bool has_gradient_norms() const override { return true; }
  std::vector<Tensor> layout(int64_t, int) const override { return {{"w", 0, {1}}}; }
  std::vector<double> default_start(int64_t, int, uint64_t) const override { return {risk_.center[0]}; }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return std::make_unique<Nonconvex<TwoWell, float>>(ctx, risk_, tilt_.of(in.workers), nullptr, lowest);
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return std::make_unique<Nonconvex<TwoWell, double>>(ctx, risk_, tilt_.of(in.workers), nullptr, lowest);
  }
  int64_t workspace(Backend, const ModelInputs& in, int64_t, int64_t) const override {
    return in.workers * int64_t{sizeof(double)};
  }
  int64_t scratch(Backend, const ModelInputs& in, int64_t, int64_t) const override {
    return in.metrics.models * int64_t{2 * sizeof(double) + sizeof(int32_t)};
  }

 private:
  static void pair(Params& p, const std::string& key, double (&to)[2], Range range) {
    const std::vector<double> v = p.has(key) ? p.numbers(key, range) : std::vector<double>{to[0], to[1]};
    if (v.size() != 2) p.fail(key, fmt::format("has {} numbers; give two, one per well", v.size()));
    to[0] = v[0], to[1] = v[1];
  }
  OwnNumbers tilt_;
  TwoWell risk_;
};

}  // namespace

namespace models {
extern const Entry<ModelSpec> two_well{"two-well",
                                       "a sharp and a flat well on a line, tilted per worker, gradient noise",
                                       [](Params& p) { return std::make_unique<TwoWellSpec>(p); }};
}
}  // namespace orrery
