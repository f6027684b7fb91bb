// Binary logistic regression: w (d), bias (1); l2 on w, the bias left out; dense or sparse samples (kernels/logistic_steps.hpp).
#include <fmt/format.h>

#include <algorithm>

#include "kernels/logistic_scores.hpp"
#include "kernels/logistic_steps.hpp"
#include "models/logistic_optimum.hpp"
#include "models/model.hpp"

namespace orrery {
namespace {

template <class T>
class Logistic final : public Model<T> {
 public:
  // positive: per class, does it count as y = 1; empty where the labels are y
  Logistic(const Context& ctx, const ModelInputs& in, double l2, bool bias, const std::vector<uint8_t>& positive)
      : ctx_(ctx), in_(in), positive_(ctx, positive) {
    train_ = {in.train, positive_.view(), l2, bias};
    test_ = {in.test, positive_.view(), 0.0, bias};
    steps_space_ = LogisticWorkspace<T>(ctx, in.rows, in.max_batch, in.workspace_bytes);
  }
  int64_t parameters() const override { return train_.parameters(); }

  void local_steps(const Context& ctx, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
                   const Momentum<T>& m) override {
    logistic_steps(ctx, train_, rows, slot, steps, w, steps_space_, m);
  }
  void gradients(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<T> g) override {
    logistic_gradients(ctx, train_, rows, slot, w, g, space_for(ctx, rows));
  }
  void hessian_vector(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<const T> v,
                      MatrixView<T> out) override {
    logistic_hessian(ctx, train_, rows, slot, w, v, out, space_for(ctx, rows));
  }
  std::vector<double> objective(const Context& ctx, MatrixView<const T> w,
                                const std::vector<const Objective*>& objectives) override {
    std::vector<int64_t> rows;
    for (const auto* o : objectives) rows.push_back(o->sample_weight_row);
    return logistic_scores(ctx, train_, w, in_.sample_weights, rows).loss;
  }
  Scores test(const Context& ctx, MatrixView<const T> w) override { return logistic_scores(ctx, test_, w, {}, {}); }
  Scores train(const Context& ctx, MatrixView<const T> w) override { return logistic_scores(ctx, train_, w, {}, {}); }

  // Found by Newton's method once per weighting of the samples (models/logistic_optimum.hpp); none without l2.
  std::optional<std::vector<double>> optimum(const Objective& o) const override {
    if (!(train_.l2 > 0)) return std::nullopt;
    const int64_t n = in_.train.count();
    const VectorView<const double> u(in_.sample_weights.row(o.sample_weight_row), n, in_.sample_weights.where());
    for (const auto& [weights, w] : optima_)
      if (weights == to_host(ctx_, u)) return w;
    optima_.emplace_back(to_host(ctx_, u), logistic_optimum(ctx_, train_, u));
    return optima_.back().second;
  }

 private:
  // Metrics ask for whole local gradients, larger than any batch of a step: they get room of their own, so that a recorded CUDA graph
  // keeps the addresses it was recorded with.
  LogisticWorkspace<T>& space_for(const Context& ctx, const Rows& rows) {
    if (rows.max_batch <= in_.max_batch) return steps_space_;
    if (rows.max_batch > wide_space_.max_batch)
      wide_space_ = LogisticWorkspace<T>(ctx, rows.count, rows.max_batch, in_.workspace_bytes);
    return wide_space_;
  }
  const Context& ctx_;
  ModelInputs in_;
  Buffer<uint8_t> positive_;
  mutable std::vector<std::pair<std::vector<double>, std::vector<double>>> optima_;  // by the samples' weights
  LogisticView train_, test_;
  LogisticWorkspace<T> steps_space_, wide_space_;
};

class LogisticSpec final : public ModelSpec {
 public:
  explicit LogisticSpec(Params& p) : params_(p) {
    l2_ = p.number("l2", 0.0, at_least(0));
    bias_ = p.flag("bias", true);
    if (p.has("positive")) positive_ = p.integers("positive", at_least(0));
    read_start(p);
  }
  std::string kind() const override { return "logistic"; }
  bool needs_data() const override { return true; }
  bool has_optimum() const override { return l2_ > 0; }
  std::vector<Tensor> layout(int64_t features, int classes) const override {
    ones(classes);  // throws where the classes are not two
    std::vector<Tensor> tensors{{"weights", 0, {features}}};
    if (bias_) tensors.push_back({"bias", features, {1}, Tensor::Filters::none});
    return tensors;
  }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return std::make_unique<Logistic<float>>(ctx, in, l2_, bias_, ones(in.classes));
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return std::make_unique<Logistic<double>>(ctx, in, l2_, bias_, ones(in.classes));
  }
  // sigmoid' <= 1/4
  std::optional<LinearCurvature> linear_curvature() const override {
    return LinearCurvature{.factor = 0.25, .l2 = l2_};
  }
  int64_t workspace(Backend backend, const ModelInputs& in, int64_t features, int64_t element_size) const override {
    return (positive_.empty() ? 0 : in.classes) +
           (backend == Backend::cpu ? 0 : steps(backend, in, features, element_size, in.rows, in.max_batch));
  }
  // CPU: every call makes its own room and gives it back. CUDA: room for whole gradients stays.
  int64_t scratch(Backend backend, const ModelInputs& in, int64_t features, int64_t element_size) const override {
    const MetricInputs& m = in.metrics;
    const int64_t scores = logistic_scores_bytes(backend, features, in.sparse, element_size, m.models, m.samples);
    const int64_t wide = steps(backend, in, features, element_size, m.rows, m.batch);
    if (backend == Backend::cpu)
      return std::max({steps(backend, in, features, element_size, in.rows, in.max_batch), wide, scores});
    return (m.batch > in.max_batch ? wide : 0) + scores;
  }

 private:
  static int64_t steps(Backend backend, const ModelInputs& in, int64_t features, int64_t element_size, int64_t rows,
                       int64_t batch) {
    return logistic_steps_bytes(backend, features, in.sparse, element_size, rows, batch, in.workspace_bytes);
  }
  // per class, does it count as y = 1; empty where the labels 0 and 1 are y
  std::vector<uint8_t> ones(int classes) const {
    if (positive_.empty()) {
      if (classes != 2)
        throw DataError(fmt::format(
            "{}: logistic regression tells two classes apart and the data set has {}; {}", params_.place("kind"),
            classes,
            classes > 2 ? "list the labels that count as class 1 in model.positive, or use kind = \"softmax\""
                        : "choose a data set with two classes"));
      return {};
    }
    std::vector<uint8_t> out(static_cast<size_t>(classes));
    for (int64_t label : positive_) {
      if (label >= classes)
        throw DataError(fmt::format("{}: label {} is none of the {} classes of the data set; give labels from 0 to {}",
                                    params_.place("positive"), label, classes, classes - 1));
      out[static_cast<size_t>(label)] = 1;
    }
    if (std::find(out.begin(), out.end(), 0) == out.end())
      throw DataError(fmt::format("{}: lists every class of the data set; leave at least one to count as class 0",
                                  params_.place("positive")));
    return out;
  }
  Params params_;  // for messages that come after parsing
  double l2_ = 0;
  bool bias_ = true;
  std::vector<int64_t> positive_;
};

}  // namespace

namespace models {
extern const Entry<ModelSpec> logistic{"logistic", "binary logistic regression, dense or sparse, l2 on the weights",
                                       [](Params& p) { return std::make_unique<LogisticSpec>(p); }};
}
}  // namespace orrery
