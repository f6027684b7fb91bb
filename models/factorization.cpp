// One number as the product of two, the test bed of flatness: all (u, v) with u v = y are minima, and at one with y = 1 the Hessian has trace
// u^2 + v^2 >= 2. Noise of the label pushes along the valley toward the flat end (kernels/nonconvex.hpp; the formula stands there).
#include "models/nonconvex.hpp"

namespace orrery {
namespace {

// sum_i a_i (p - y_i)^2 / 2 = (p - y)^2 / 2 + sum_i a_i (y_i - y)^2 / 2
double spread_of(const std::vector<double>& weights, const std::vector<double>& targets, double mean) {
  double sum = 0;
  for (size_t i = 0; i < targets.size(); ++i) sum += 0.5 * weights[i] * (targets[i] - mean) * (targets[i] - mean);
  return sum;
}

class FactorizationSpec final : public ModelSpec {
 public:
  explicit FactorizationSpec(Params& p) : target_(p, "target", 1.0) {
    risk_.noise = p.number("label_noise", 0.0, at_least(0));
    read_start(p);
  }
  std::string kind() const override { return "factorization"; }
  void check_workers(int64_t workers) const override { target_.check_workers(workers); }
  bool needs_data() const override { return false; }
  bool has_gradient_norms() const override { return true; }
  std::vector<Tensor> layout(int64_t, int) const override { return {{"u", 0, {1}}, {"v", 1, {1}}}; }
  std::vector<double> default_start(int64_t, int, uint64_t) const override { return {2, 0.5}; }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return std::make_unique<Nonconvex<Factorization, float>>(ctx, risk_, target_.of(in.workers), spread_of, nullptr);
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return std::make_unique<Nonconvex<Factorization, double>>(ctx, risk_, target_.of(in.workers), spread_of, nullptr);
  }
  int64_t workspace(Backend, const ModelInputs& in, int64_t, int64_t) const override {
    return in.workers * int64_t{sizeof(double)};
  }
  int64_t scratch(Backend, const ModelInputs& in, int64_t, int64_t) const override {
    return in.metrics.models * int64_t{2 * sizeof(double) + sizeof(int32_t)};
  }

 private:
  OwnNumbers target_;
  Factorization risk_;
};

}  // namespace

namespace models {
extern const Entry<ModelSpec> factorization{"factorization", "(u v - y)^2 / 2, targets per worker, label noise",
                                            [](Params& p) { return std::make_unique<FactorizationSpec>(p); }};
}
}  // namespace orrery
