// Quadratic risks, the theory bench: F_i(x) = 1/2 sum_j a_ij (x_j - c_ij)^2, with Gaussian gradient noise (kernels/quadratic.hpp).
// The global objective is a quadratic too:
//   f(x) = sum_i a_i F_i(x) = 1/2 sum_j A_j (x_j - m_j)^2 + r       A_j = sum_i a_i a_ij,  m_j = sum_i a_i a_ij c_ij / A_j,  r = f(m)
// so that a loss costs O(P), and A, m, r once O(W P), in float64 and from the constants as the kernels see them.
#include "kernels/quadratic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "kernels/core/npy.hpp"
#include "kernels/core/rng.hpp"
#include "models/model.hpp"

namespace orrery {
namespace {

// a, c or s: one number, one row for all workers, or one row per worker
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
  Quadratic(const Context& ctx, const Constants& a, const Constants& c, const Constants& s, int64_t dimension,
            const ModelInputs& in)
      : workers_(in.workers), p_(dimension), curvature_(a), center_(c) {
    const auto upload = [&](const Constants& k, Buffer<T>& buffer) {
      std::vector<T> host;
      for (int64_t w = 0; w < k.rows; ++w)
        for (int64_t j = 0; j < p_; ++j) host.push_back(static_cast<T>(k.at(w, j)));
      buffer = Buffer<T>(ctx, host);
      return MatrixView<const T>(buffer.data(), workers_, p_, k.rows > 1 ? p_ : 0, ctx.backend);
    };
    view_ = {upload(a, a_), upload(c, c_), s.columns > 0 ? 0 : s.at(0, 0)};
    if (s.columns == 0) return;
    noise_ = Buffer<double>(ctx, s.values);
    view_.noises = noise_.view();
  }

  int64_t parameters() const override { return p_; }
  void local_steps(const Context& ctx, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
                   const Momentum<T>& m) override {
    quadratic_steps(ctx, view_, rows, slot, steps, w, m);
  }
  void gradients(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<T> g) override {
    quadratic_gradients(ctx, view_, rows, slot, w, g);
  }
  void hessian_vector(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T>, MatrixView<const T> v,
                      MatrixView<T> out) override {
    quadratic_hessian(ctx, view_, rows, slot, v, out);
  }
  std::vector<double> objective(const Context& ctx, MatrixView<const T> w,
                                const std::vector<const Objective*>& objectives) override {
    const std::vector<int32_t> which = totals(ctx, objectives);
    const Buffer<int32_t> device_which(ctx, which);
    const Buffer<double> losses(ctx, w.extent(0));
    Rows rows;
    rows.count = w.extent(0);
    rows.worker = device_which.view();
    const auto k = static_cast<int64_t>(totals_.size());
    const QuadraticView<double> f{total_curvature_.view(k, p_), total_center_.view(k, p_), 0.0};
    quadratic_losses<T, double>(ctx, f, rows, w, losses.view());
    auto out = losses.to_host(ctx);
    for (size_t m = 0; m < out.size(); ++m) out[m] += totals_[static_cast<size_t>(which[m])].rest;
    return out;
  }
  std::optional<std::vector<double>> gradient_norms(const Context& ctx, MatrixView<const T> w,
                                                    const std::vector<const Objective*>& objectives) override {
    const std::vector<int32_t> which = totals(ctx, objectives);
    const std::vector<T> x = to_host(ctx, w);
    std::vector<double> out;
    for (size_t m = 0; m < which.size(); ++m) {
      const Total& f = totals_[static_cast<size_t>(which[m])];
      double sum = 0;
      for (size_t j = 0; j < f.center.size(); ++j) {
        const double g = f.curvature[j] * (static_cast<double>(x[m * f.center.size() + j]) - f.center[j]);
        sum += g * g;
      }
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
  struct Total {
    std::vector<double> weights, curvature, center;  // (W), (P), (P)
    double rest = 0;
  };
  double a(int64_t i, int64_t j) const { return static_cast<double>(static_cast<T>(curvature_.at(i, j))); }
  double c(int64_t i, int64_t j) const { return static_cast<double>(static_cast<T>(center_.at(i, j))); }

  Total total(const std::vector<double>& weights) const {
    Total f{weights, std::vector<double>(static_cast<size_t>(p_)), std::vector<double>(static_cast<size_t>(p_)), 0};
    for (int64_t i = 0; i < workers_; ++i)
      for (int64_t j = 0; j < p_; ++j) {
        const double share = weights[static_cast<size_t>(i)] * a(i, j);
        f.curvature[static_cast<size_t>(j)] += share;
        f.center[static_cast<size_t>(j)] += share * c(i, j);
      }
    for (int64_t j = 0; j < p_; ++j) {
      const auto k = static_cast<size_t>(j);
      f.center[k] = center_.rows <= 1 ? c(0, j) : f.curvature[k] > 0 ? f.center[k] / f.curvature[k] : 0;
    }
    for (int64_t i = 0; i < (center_.rows <= 1 ? 0 : workers_); ++i) {  // one centre for all: nothing is left there
      double own = 0;
      for (int64_t j = 0; j < p_; ++j) {
        const double away = c(i, j) - f.center[static_cast<size_t>(j)];
        own += 0.5 * a(i, j) * away * away;
      }
      f.rest += weights[static_cast<size_t>(i)] * own;
    }
    return f;
  }
  // The place in totals_ of every objective; what is new there is made and uploaded.
  std::vector<int32_t> totals(const Context& ctx, const std::vector<const Objective*>& objectives) {
    std::map<const Objective*, int32_t> seen;
    std::vector<int32_t> which;
    const size_t before = totals_.size();
    for (const Objective* o : objectives) {
      const auto [place, fresh] = seen.try_emplace(o, 0);
      if (fresh) {
        const auto known = std::find_if(totals_.begin(), totals_.end(),
                                        [&](const Total& t) { return t.weights == o->worker_weights; });
        place->second = static_cast<int32_t>(known - totals_.begin());
        if (known == totals_.end()) totals_.push_back(total(o->worker_weights));
      }
      which.push_back(place->second);
    }
    if (totals_.size() == before) return which;
    std::vector<double> curvature, center;
    for (const Total& t : totals_) {
      curvature.insert(curvature.end(), t.curvature.begin(), t.curvature.end());
      center.insert(center.end(), t.center.begin(), t.center.end());
    }
    total_curvature_ = Buffer<double>(ctx, curvature);
    total_center_ = Buffer<double>(ctx, center);
    return which;
  }

  int64_t workers_, p_;
  Buffer<T> a_, c_;
  Buffer<double> noise_;  // (P), where it differs by coordinate
  QuadraticView<T> view_;
  Constants curvature_, center_;                   // on the host, for the optimum and the totals
  std::vector<Total> totals_;                      // one per weighting of the workers
  Buffer<double> total_curvature_, total_center_;  // (totals, P)
};

class QuadraticSpec final : public ModelSpec {
 public:
  explicit QuadraticSpec(Params& p) : params_(p) {
    curvature_ = read_constants(p, "curvature", 1.0, at_least(0));
    center_ = read_constants(p, "center", 0.0, {});
    if (curvature_.columns > 0 && center_.columns > 0 && curvature_.columns != center_.columns)
      p.fail("center", fmt::format("has {} columns, curvature {}; give both the same dimension", center_.columns,
                                   curvature_.columns));
    noise_ = read_constants(p, "noise", 0.0, at_least(0));
    if (noise_.rows > 1) p.fail("noise", "has a row per worker; give a number or one row for all workers");
    const int64_t others = std::max(curvature_.columns, center_.columns);
    if (noise_.columns > 0 && others > 0 && noise_.columns != others)
      p.fail("noise",
             fmt::format("has {} columns, curvature and center {}; give the same dimension", noise_.columns, others));
    const int64_t given = std::max(others, noise_.columns);
    if (given == 0) {
      dimension_ = p.integer("dimension", std::nullopt, between(1, 1e9));
    } else {
      dimension_ = p.integer("dimension", given, at_least(1));
      if (dimension_ != given)
        p.fail("dimension", fmt::format("{} differs from the {} columns given; leave it out", dimension_, given));
    }
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
  bool has_gradient_norms() const override { return true; }
  std::optional<QuadraticRisk> quadratic_risk() const override {
    return QuadraticRisk{.dimension = dimension_,
                         .noise_sq = noise_square(),
                         .same_columns = curvature_.columns == 0 && center_.columns == 0,
                         .same_workers = curvature_.rows == 1 && center_.rows == 1,
                         .curvature = [a = curvature_](int64_t i, int64_t j) { return a.at(i, j); },
                         .center = [c = center_](int64_t i, int64_t j) { return c.at(i, j); },
                         .noise = [s = noise_](int64_t j) { return s.at(0, j); }};
  }
  std::vector<Tensor> layout(int64_t, int) const override { return {{"x", 0, {dimension_}}}; }
  // init = "normal": x ~ N(0, I)
  bool has_normal_start() const override { return true; }
  std::vector<double> normal_start(int64_t, int, uint64_t seed) const override {
    const Stream draw(seed, Draw::initial, 0, 1);
    std::vector<double> x(static_cast<size_t>(dimension_));
    for (size_t j = 0; j < x.size(); ++j) x[j] = draw.normal(static_cast<uint32_t>(j));
    return x;
  }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return make<float>(ctx, in);
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return make<double>(ctx, in);
  }
  int64_t workspace(Backend, const ModelInputs&, int64_t, int64_t element_size) const override {
    return (curvature_.rows + center_.rows) * dimension_ * element_size + noise_.columns * int64_t{sizeof(double)};
  }
  int64_t scratch(Backend, const ModelInputs& in, int64_t, int64_t) const override {
    return in.metrics.objectives * dimension_ * 2 * int64_t{sizeof(double)} + in.metrics.models * 12;
  }

 private:
  template <class T>
  std::unique_ptr<Model<T>> make(const Context& ctx, const ModelInputs& in) const {
    return std::make_unique<Quadratic<T>>(ctx, curvature_, center_, noise_, dimension_, in);
  }
  double noise_square() const {
    if (noise_.columns == 0) return noise_.at(0, 0) * noise_.at(0, 0) * static_cast<double>(dimension_);
    double sum = 0;
    for (const double s : noise_.values) sum += s * s;
    return sum;
  }
  Params params_;  // for messages that come after parsing
  Constants curvature_, center_, noise_;
  int64_t dimension_ = 1;
};

}  // namespace

namespace models {
extern const Entry<ModelSpec> quadratic{"quadratic",
                                        "diagonal quadratic risks with curvature and centre per worker, gradient noise",
                                        [](Params& p) { return std::make_unique<QuadraticSpec>(p); }};
}
}  // namespace orrery
