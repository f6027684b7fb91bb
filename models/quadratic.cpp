// Quadratic risks, the theory bench: F_i(x) = 1/2 sum_j a_ij (x_j - c_ij)^2, with Gaussian gradient noise (kernels/quadratic.hpp).
#include "kernels/quadratic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/npy.hpp"
#include "models/model.hpp"

namespace orrery {
namespace {

// a or c: one number, one row for all workers, or one row per worker
struct Constants {
  int64_t rows = 0, columns = 0;  // columns 0: a number, fits any dimension
  std::vector<double> values;

  double at(int64_t worker, int64_t j) const {
    return values[static_cast<size_t>((rows > 1 ? worker : 0) * (columns > 0 ? columns : 1) + (columns > 0 ? j : 0))];
  }
};

Constants read_constants(Params& p, const std::string& key, double fallback, Range range) {
  if (p.is_text(key)) {
    const std::string file = p.file_path(key);
    NpyArray a;
    try {
      a = read_npy(file);
    } catch (const DataError& e) {
      p.fail(key, e.what());
    }
    if (a.shape.empty() || a.shape.size() > 2 || a.values.empty())
      p.fail(key, "the .npy file has neither shape (P) nor (W,P); save one of these");
    for (double v : a.values)
      if (!std::isfinite(v) || v < range.min)
        p.fail(key,
               fmt::format("the .npy file holds {:g}; every value must be {}", v,
                           std::isfinite(range.min) ? fmt::format("finite and at least {:g}", range.min) : "finite"));
    return {a.shape.size() == 2 ? a.shape[0] : 1, a.shape.back(), std::move(a.values)};
  }
  if (p.is_nested_array(key)) {
    Constants c;
    const auto rows = p.number_rows(key, range);
    c.rows = static_cast<int64_t>(rows.size());
    c.columns = static_cast<int64_t>(rows[0].size());
    for (const auto& row : rows) {
      if (static_cast<int64_t>(row.size()) != c.columns || row.empty())
        p.fail(key, fmt::format("rows of {} and {} numbers; give every worker the same number", c.columns, row.size()));
      c.values.insert(c.values.end(), row.begin(), row.end());
    }
    return c;
  }
  if (p.is_array(key)) {
    auto values = p.numbers(key, range);
    const auto n = static_cast<int64_t>(values.size());
    return {1, n, std::move(values)};
  }
  return {1, 0, {p.number(key, fallback, range)}};
}

template <class T>
class Quadratic final : public Model<T> {
 public:
  Quadratic(const Context& ctx, const Constants& a, const Constants& c, int64_t dimension, double noise,
            const ModelInputs& in)
      : workers_(in.workers), p_(dimension), curvature_(a), center_(c) {
    const auto upload = [&](const Constants& k, Buffer<T>& buffer) {
      std::vector<T> host;
      for (int64_t w = 0; w < k.rows; ++w)
        for (int64_t j = 0; j < p_; ++j) host.push_back(static_cast<T>(k.at(w, j)));
      buffer = Buffer<T>(ctx, host);
      return MatrixView<const T>(buffer.data(), workers_, p_, k.rows > 1 ? p_ : 0, ctx.backend);
    };
    view_ = {upload(a, a_), upload(c, c_), noise};
    std::vector<int32_t> everyone(static_cast<size_t>(workers_));
    for (size_t w = 0; w < everyone.size(); ++w) everyone[w] = static_cast<int32_t>(w);
    everyone_ = Buffer<int32_t>(ctx, everyone);
    losses_ = Buffer<double>(ctx, workers_);
  }

  int64_t parameters() const override { return p_; }
  void local_steps(const Context& ctx, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
                   const Momentum<T>& m) override {
    quadratic_steps(ctx, view_, rows, slot, steps, w, m);
  }
  void gradients(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<T> g) override {
    quadratic_gradients(ctx, view_, rows, slot, w, g);
  }
  std::vector<double> objective(const Context& ctx, MatrixView<const T> w,
                                const std::vector<const Objective*>& objectives) override {
    Rows rows;
    rows.count = workers_;
    rows.worker = everyone_.view();
    std::vector<double> out;
    for (int64_t m = 0; m < w.extent(0); ++m) {
      const MatrixView<const T> shared(w.row(m), workers_, p_, 0, ctx.backend);
      quadratic_losses(ctx, view_, rows, shared, losses_.view());
      double sum = 0;
      const auto loss = losses_.to_host(ctx);
      for (size_t i = 0; i < loss.size(); ++i) sum += objectives[static_cast<size_t>(m)]->worker_weights[i] * loss[i];
      out.push_back(sum);
    }
    return out;
  }
  Scores test(const Context&, MatrixView<const T>) override { throw std::logic_error("a quadratic has no test set"); }

  // x*_j = sum_i a_i a_ij c_ij / sum_i a_i a_ij
  std::optional<std::vector<double>> optimum(const Objective& o) const override {
    std::vector<double> x(static_cast<size_t>(p_));
    for (size_t j = 0; j < x.size(); ++j) {
      double above = 0, below = 0;
      for (size_t i = 0; i < static_cast<size_t>(workers_); ++i) {
        const auto worker = static_cast<int64_t>(i), column = static_cast<int64_t>(j);
        const double weight = o.worker_weights[i] * curvature_.at(worker, column);
        above += weight * center_.at(worker, column);
        below += weight;
      }
      x[j] = below > 0 ? above / below : 0;
    }
    return x;
  }

 private:
  int64_t workers_, p_;
  Buffer<T> a_, c_;
  Buffer<int32_t> everyone_;
  Buffer<double> losses_;
  QuadraticView<T> view_;
  Constants curvature_, center_;  // on the host, for the optimum
};

class QuadraticSpec final : public ModelSpec {
 public:
  explicit QuadraticSpec(Params& p) : params_(p) {
    curvature_ = read_constants(p, "curvature", 1.0, at_least(0));
    center_ = read_constants(p, "center", 0.0, {});
    if (curvature_.columns > 0 && center_.columns > 0 && curvature_.columns != center_.columns)
      p.fail("center", fmt::format("has {} columns, curvature {}; give both the same dimension", center_.columns,
                                   curvature_.columns));
    const int64_t given = std::max(curvature_.columns, center_.columns);
    if (given == 0) {
      dimension_ = p.integer("dimension", std::nullopt, between(1, 1e9));
    } else {
      dimension_ = p.integer("dimension", given, at_least(1));
      if (dimension_ != given)
        p.fail("dimension", fmt::format("{} differs from the {} columns given; leave it out", dimension_, given));
    }
    noise_ = p.number("noise", 0.0, at_least(0));
    read_start(p);
  }
  std::string kind() const override { return "quadratic"; }
  void check_workers(int64_t workers) const override {
    for (auto [key, k] : {std::pair{"curvature", &curvature_}, std::pair{"center", &center_}})
      if (k->rows > 1 && k->rows != workers)
        params_.fail(
            key, fmt::format("has {} rows for {} workers; give one row for all or one per worker", k->rows, workers));
  }
  bool needs_data() const override { return false; }
  bool has_optimum() const override { return true; }
  std::optional<QuadraticRisk> quadratic_risk() const override {
    return QuadraticRisk{.dimension = dimension_,
                         .noise = noise_,
                         .same_columns = curvature_.columns == 0 && center_.columns == 0,
                         .same_workers = curvature_.rows == 1 && center_.rows == 1,
                         .curvature = [a = curvature_](int64_t i, int64_t j) { return a.at(i, j); },
                         .center = [c = center_](int64_t i, int64_t j) { return c.at(i, j); }};
  }
  std::vector<Tensor> layout(int64_t, int) const override { return {{"x", 0, {dimension_}}}; }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return make<float>(ctx, in);
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return make<double>(ctx, in);
  }
  int64_t workspace(Backend, const ModelInputs& in, int64_t, int64_t element_size) const override {
    return (curvature_.rows + center_.rows) * dimension_ * element_size + in.workers * 12;
  }

 private:
  template <class T>
  std::unique_ptr<Model<T>> make(const Context& ctx, const ModelInputs& in) const {
    return std::make_unique<Quadratic<T>>(ctx, curvature_, center_, dimension_, noise_, in);
  }
  Params params_;  // for messages that come after parsing
  Constants curvature_, center_;
  int64_t dimension_ = 1;
  double noise_ = 0;
};

}  // namespace

namespace models {
extern const Entry<ModelSpec> quadratic{"quadratic",
                                        "diagonal quadratic risks with curvature and centre per worker, gradient noise",
                                        [](Params& p) { return std::make_unique<QuadraticSpec>(p); }};
}
}  // namespace orrery
