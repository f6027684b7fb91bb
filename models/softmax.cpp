// Softmax regression with cross-entropy: V (C,d), b (C); l2 on V, the bias left out (kernels/softmax_steps.hpp).
#include <algorithm>

#include "kernels/softmax_hessian.hpp"
#include "kernels/softmax_scores.hpp"
#include "kernels/softmax_steps.hpp"
#include "models/model.hpp"

namespace orrery {
namespace {

template <class T>
class Softmax final : public Model<T> {
 public:
  Softmax(const Context& ctx, const ModelInputs& in, double l2)
      : in_(in), train_{in.train, in.classes, l2}, test_{in.test, in.classes, 0.0} {
    steps_space_ = SoftmaxWorkspace<T>(ctx, train_, in.rows, in.max_batch, in.workspace_bytes);
  }
  int64_t parameters() const override { return train_.parameters(); }

  void local_steps(const Context& ctx, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
                   const Momentum<T>& m) override {
    softmax_steps(ctx, train_, rows, slot, steps, w, steps_space_, m);
  }
  void gradients(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<T> g) override {
    softmax_gradients(ctx, train_, rows, slot, w, g, space_for(ctx, rows));
  }
  void hessian_vector(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<const T> v,
                      MatrixView<T> out) override {
    softmax_hessian(ctx, train_, rows, slot, w, v, out, space_for(ctx, rows));
  }
  std::vector<double> objective(const Context& ctx, MatrixView<const T> w,
                                const std::vector<const Objective*>& objectives) override {
    std::vector<int64_t> rows;
    for (const auto* o : objectives) rows.push_back(o->sample_weight_row);
    return softmax_scores(ctx, train_, w, in_.sample_weights, rows).loss;
  }
  Scores test(const Context& ctx, MatrixView<const T> w) override { return softmax_scores(ctx, test_, w, {}, {}); }
  Scores train(const Context& ctx, MatrixView<const T> w) override { return softmax_scores(ctx, train_, w, {}, {}); }

 private:
  // Metrics ask for whole local gradients, larger than any batch of a step: they get room of their own, so that a recorded CUDA graph
  // keeps the addresses it was recorded with.
  SoftmaxWorkspace<T>& space_for(const Context& ctx, const Rows& rows) {
    if (rows.max_batch <= in_.max_batch && rows.count <= in_.rows) return steps_space_;
    if (rows.max_batch > wide_space_.max_batch)
      wide_space_ = SoftmaxWorkspace<T>(ctx, train_, rows.count, rows.max_batch, in_.workspace_bytes);
    return wide_space_;
  }
  ModelInputs in_;
  SoftmaxView train_, test_;
  SoftmaxWorkspace<T> steps_space_, wide_space_;
};

class SoftmaxSpec final : public ModelSpec {
 public:
  explicit SoftmaxSpec(Params& p) {
    l2_ = p.number("l2", 0.0, at_least(0));
    read_start(p);
  }
  std::string kind() const override { return "softmax"; }
  // diag(q) - q q^T <= 1/2
  std::optional<LinearCurvature> linear_curvature() const override { return LinearCurvature{.factor = 0.5, .l2 = l2_}; }
  bool needs_data() const override { return true; }
  std::vector<Tensor> layout(int64_t features, int classes) const override {
    return {{"weights", 0, {classes, features}, Tensor::Filters::rows},
            {"bias", classes * features, {classes}, Tensor::Filters::none}};
  }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return std::make_unique<Softmax<float>>(ctx, in, l2_);
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return std::make_unique<Softmax<double>>(ctx, in, l2_);
  }
  int64_t workspace(Backend backend, const ModelInputs& in, int64_t features, int64_t element_size) const override {
    if (backend == Backend::cpu) return 0;
    return softmax_steps_bytes(backend, features, in.classes, element_size, in.rows, in.max_batch, in.workspace_bytes);
  }
  // CPU: every call makes its own room and gives it back. CUDA: room for whole gradients stays.
  int64_t scratch(Backend backend, const ModelInputs& in, int64_t features, int64_t element_size) const override {
    const MetricInputs& m = in.metrics;
    const auto steps = [&](int64_t rows, int64_t batch) {
      return softmax_steps_bytes(backend, features, in.classes, element_size, rows, batch, in.workspace_bytes);
    };
    const int64_t scores = softmax_scores_bytes(backend, features, in.classes, element_size, m.models, m.samples);
    if (backend == Backend::cpu) return std::max({steps(in.rows, in.max_batch), steps(m.rows, m.batch), scores});
    const bool wide = m.batch > in.max_batch || m.rows > in.rows;
    return (wide ? steps(m.rows, m.batch) : 0) + scores;
  }

 private:
  double l2_ = 0;
};

}  // namespace

namespace models {
extern const Entry<ModelSpec> softmax{"softmax", "softmax regression with cross-entropy, l2 on the weights",
                                      [](Params& p) { return std::make_unique<SoftmaxSpec>(p); }};
}
}  // namespace orrery
