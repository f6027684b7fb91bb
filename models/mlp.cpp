// Multilayer perceptron with cross-entropy (kernels/mlp_view.hpp): hidden layers of any size, relu or tanh; l2 on the weights, biases left
// out. init = "default": weights and biases of a layer with n inputs uniform on (-1/sqrt(n), 1/sqrt(n)), the same for every worker of a
// replica (He et al. 2015 with slope sqrt(5), as PyTorch's Linear starts). init = "normal": weights N(0, 1/n), biases 0.
#include <algorithm>
#include <cmath>

#include "kernels/mlp_hessian.hpp"
#include "kernels/mlp_scores.hpp"
#include "kernels/mlp_signs.hpp"
#include "kernels/mlp_steps.hpp"
#include "models/model.hpp"

namespace orrery {
namespace {

template <class T>
class Mlp final : public Model<T> {
 public:
  Mlp(const Context& ctx, const ModelInputs& in, MlpView train)
      : in_(in),
        train_(train),
        test_(std::move(train)),
        signs_space_(in.workspace_bytes, in.sign_samples > 0 ? in.sign_samples : int64_t{1} << 40) {
    test_.samples = in.test;
    test_.l2 = 0;
    steps_space_ = MlpWorkspace<T>(ctx, train_, in.rows, in.max_batch, in.workspace_bytes);
  }
  int64_t parameters() const override { return train_.parameters(); }

  void local_steps(const Context& ctx, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
                   const Momentum<T>& m) override {
    mlp_steps(ctx, train_, rows, slot, steps, w, steps_space_, m);
  }
  // Whole local gradients come in pieces that fit the room of the steps. Where workers vote, batches at a shared point are not padded.
  void gradients(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<T> g) override {
    if (w.stride() == 0 && in_.sign_samples > 0)
      mlp_shared_gradients(ctx, train_, rows, slot, w, g, signs_space_);
    else
      mlp_gradients(ctx, train_, rows, slot, w, g, steps_space_);
  }
  void hessian_vector(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<const T> v,
                      MatrixView<T> out) override {
    mlp_hessian(ctx, train_, rows, slot, w, v, out, steps_space_);
  }
  bool packs_signs() const override { return true; }
  void signs(const Context& ctx, const Rows& rows, Slot slot, SignZero rule, MatrixView<const T> w,
             const SignsOut& out) override {
    mlp_signs(ctx, train_, rows, slot, rule, w, out, signs_space_);
  }
  std::vector<double> objective(const Context& ctx, MatrixView<const T> w,
                                const std::vector<const Objective*>& objectives) override {
    std::vector<int64_t> rows;
    for (const auto* o : objectives) rows.push_back(o->sample_weight_row);
    return mlp_scores(ctx, train_, w, in_.sample_weights, rows).loss;
  }
  Scores test(const Context& ctx, MatrixView<const T> w) override { return mlp_scores(ctx, test_, w, {}, {}); }
  Scores train(const Context& ctx, MatrixView<const T> w) override { return mlp_scores(ctx, train_, w, {}, {}); }

 private:
  ModelInputs in_;
  MlpView train_, test_;
  MlpWorkspace<T> steps_space_;
  MlpSignsWorkspace<T> signs_space_;
};

class MlpSpec final : public ModelSpec {
 public:
  explicit MlpSpec(Params& p) {
    hidden_ = p.is_array("hidden") ? p.integers("hidden", between(1, 1e6))
                                   : std::vector<int64_t>{p.integer("hidden", std::nullopt, between(1, 1e6))};
    activation_ = p.choice("activation", "relu", {"relu", "tanh"}) == "relu" ? Activation::relu : Activation::tanh;
    l2_ = p.number("l2", 0.0, at_least(0));
    read_start(p);
  }
  std::string kind() const override { return "mlp"; }
  bool needs_data() const override { return true; }
  bool packs_signs() const override { return true; }
  std::vector<Tensor> layout(int64_t features, int classes) const override {
    const MlpView v = view(features, classes);
    std::vector<Tensor> tensors;
    for (int l = 0; l < v.layers(); ++l) {
      tensors.push_back({"weights" + std::to_string(l), v.weights(l), {v.in(l), v.out(l)}, Tensor::Filters::columns});
      tensors.push_back({"bias" + std::to_string(l), v.bias(l), {v.out(l)}, Tensor::Filters::none});
    }
    return tensors;
  }
  std::vector<double> default_start(int64_t features, int classes, uint64_t seed) const override {
    const MlpView v = view(features, classes);
    std::vector<double> start(static_cast<size_t>(v.parameters()));
    for (int l = 0; l < v.layers(); ++l) {
      const Stream draw(seed, Draw::initial, static_cast<uint32_t>(l), 0);
      const double bound = 1 / std::sqrt(static_cast<double>(v.in(l)));
      for (int64_t i = 0; i < (v.in(l) + 1) * v.out(l); ++i)
        start[static_cast<size_t>(v.weights(l) + i)] = bound * (2 * draw.uniform(static_cast<uint32_t>(i)) - 1);
    }
    return start;
  }
  bool has_normal_start() const override { return true; }
  std::vector<double> normal_start(int64_t features, int classes, uint64_t seed) const override {
    const MlpView v = view(features, classes);
    std::vector<double> start(static_cast<size_t>(v.parameters()));
    for (int l = 0; l < v.layers(); ++l) {
      const Stream draw(seed, Draw::initial, static_cast<uint32_t>(l), 1);
      for (int64_t i = 0; i < v.in(l)*v.out(l); ++i)
        start[static_cast<size_t>(v.weights(l) + i)] =
            draw.normal(static_cast<uint32_t>(i)) / std::sqrt(static_cast<double>(v.in(l)));
    }
    return start;
  }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return make<float>(ctx, in);
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return make<double>(ctx, in);
  }
  int64_t workspace(Backend backend, const ModelInputs& in, int64_t features, int64_t element_size) const override {
    const MlpView v = view(features, in.classes);
    if (backend == Backend::cpu) return 0;  // the threads' rooms are small: 64 samples each
    return element_size == 8 ? MlpWorkspace<double>::bytes_needed(v, in.rows, in.max_batch, in.workspace_bytes)
                             : MlpWorkspace<float>::bytes_needed(v, in.rows, in.max_batch, in.workspace_bytes);
  }
  int64_t scratch(Backend backend, const ModelInputs& in, int64_t features, int64_t element_size) const override {
    const MlpView v = view(features, in.classes);
    const auto signs =
        element_size == 8 ? MlpSignsWorkspace<double>::bytes_needed : MlpSignsWorkspace<float>::bytes_needed;
    return mlp_scores_bytes(backend, v, element_size, in.metrics.models, in.metrics.samples) +
           (in.sign_samples > 0 ? signs(backend, v, in.sign_samples, in.workspace_bytes) : 0);
  }

 private:
  MlpView view(int64_t features, int classes) const {
    MlpView v;
    v.width = {features};
    v.width.insert(v.width.end(), hidden_.begin(), hidden_.end());
    v.width.push_back(classes);
    v.activation = activation_;
    v.l2 = l2_;
    return v;
  }
  template <class T>
  std::unique_ptr<Model<T>> make(const Context& ctx, const ModelInputs& in) const {
    MlpView v = view(in.train.features(), in.classes);
    v.samples = in.train;
    return std::make_unique<Mlp<T>>(ctx, in, std::move(v));
  }
  std::vector<int64_t> hidden_;
  Activation activation_ = Activation::relu;
  double l2_ = 0;
};

}  // namespace

namespace models {
extern const Entry<ModelSpec> mlp{"mlp", "multilayer perceptron: hidden = [...], relu or tanh, l2 on the weights",
                                  [](Params& p) { return std::make_unique<MlpSpec>(p); }};
}
}  // namespace orrery
