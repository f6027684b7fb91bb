#include "models/short_term.hpp"

#include <algorithm>

#include "kernels/blend.hpp"
#include "kernels/descend.hpp"

namespace orrery {
namespace {

// One row that holds all samples, or none where the model has no data: worker `worker` then says whose risk it is.
class WholeRows {
 public:
  WholeRows(const Context& ctx, int64_t rows, int64_t samples) : samples_(samples) {
    zeros_ = Buffer<int32_t>(ctx, rows);
    seeds_ = Buffer<uint64_t>(ctx, rows);
    always_ = Buffer<double>(ctx, std::vector<double>(static_cast<size_t>(rows), 1.0));
    if (samples == 0) return;
    std::vector<int32_t> order(static_cast<size_t>(samples));
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
    order_ = Buffer<int32_t>(ctx, order);
    begin_ = Buffer<int64_t>(ctx, rows);
    size_ = Buffer<int64_t>(ctx, std::vector<int64_t>(static_cast<size_t>(rows), samples));
  }
  Rows rows(int64_t n, VectorView<const int32_t> workers) const {
    Rows r;
    r.count = n;
    r.seed = seeds_.view().part(0, n);
    r.worker = workers.size() > 0 ? workers : zeros_.view().part(0, n);
    r.learning_rate = r.rate = always_.view().part(0, n);
    r.batch = zeros_.view().part(0, n);
    r.max_batch = std::max<int64_t>(1, samples_);
    if (samples_ == 0) return r;
    r.begin = begin_.view().part(0, n);
    r.size = size_.view().part(0, n);
    r.order = order_.view();
    return r;
  }

 private:
  int64_t samples_;
  Buffer<int32_t> zeros_, order_;
  Buffer<uint64_t> seeds_;
  Buffer<double> always_;
  Buffer<int64_t> begin_, size_;
};

template <class T>
class ShortTerm final : public Model<T> {
 public:
  ShortTerm(const Context& ctx, const ModelInputs& in, std::unique_ptr<Model<T>> risk, const std::vector<double>& point)
      : risk_(std::move(risk)),
        p_(risk_->parameters()),
        workers_(in.workers),
        samples_(in.train.count()),
        held_(in.most_held),
        point_(ctx, std::vector<T>(point.begin(), point.end())),
        away_(ctx, in.rows * p_),
        bent_(ctx, in.rows * p_),
        clock_(ctx, 1),
        no_batch_(ctx, in.rows),
        plus_(ctx, std::vector<double>(static_cast<size_t>(in.rows), 1.0)),
        minus_(ctx, std::vector<double>(static_cast<size_t>(in.rows), -1.0)) {
    expects(samples_ == 0 || in.sample_weights.extent(0) == 0, "samples that all weigh the same");
  }

  int64_t parameters() const override { return p_; }

  void gradients(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<T> g) override {
    const int64_t n = rows.count;
    risk_->gradients(ctx, rows, slot, point(n), g);
    Rows whole = rows;
    whole.batch = no_batch_.view().part(0, n);
    whole.max_batch = std::max<int64_t>(1, held_);
    const MatrixView<T> bent = bent_.view(n, p_);
    risk_->hessian_vector(ctx, whole, slot, point(n), away(ctx, w), bent);
    blend<T>(ctx, plus_.view().part(0, n), bent, plus_.view().part(0, n), g);
  }

  void local_steps(const Context& ctx, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
                   const Momentum<T>& m) override {
    Buffer<T> g(ctx, rows.count * p_);
    for (int64_t s = 0; s < steps * rows.max_repeats; ++s) {
      const Slot now = slot.plus(s / rows.max_repeats).repeated(s % rows.max_repeats);
      gradients(ctx, rows, now, w, g.view(rows.count, p_));
      if (m.on())
        momentum_descend<T>(ctx, rows, now, m, w, g.view(rows.count, p_));
      else
        descend<T>(ctx, rows, w, g.view(rows.count, p_));
    }
    ctx.synchronize();  // g goes away
  }

  void hessian_vector(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T>, MatrixView<const T> v,
                      MatrixView<T> out) override {
    risk_->hessian_vector(ctx, rows, slot, point(rows.count), v, out);
  }

  std::vector<double> objective(const Context& ctx, MatrixView<const T> w,
                                const std::vector<const Objective*>& objectives) override {
    const int64_t m = w.extent(0), together = std::min(m, away_.size() / p_);
    std::vector<double> f = at_point(ctx, objectives);
    const WholeRows all(ctx, together, samples_);
    const int64_t risks = samples_ > 0 ? 1 : workers_;  // of all samples, or worker by worker where there are none
    for (auto worker = static_cast<int64_t>(slopes_.size()); worker < risks; ++worker) {
      const Buffer<int32_t> whose(ctx, std::vector<int32_t>{static_cast<int32_t>(worker)});
      const Buffer<T> d(ctx, p_);
      risk_->gradients(ctx, all.rows(1, whose.view()), Slot{clock_.data(), 0}, point(1), d.view(1, p_));
      slopes_.push_back(d.to_host(ctx));
    }
    for (int64_t first = 0; first < m; first += together) {
      const int64_t n = std::min(together, m - first);
      const MatrixView<const T> e = away(ctx, w.rows(first, n));
      const std::vector<T> moved = to_host(ctx, e);
      // d . e + 1/2 e . H e
      for (int64_t worker = 0; worker < risks; ++worker) {
        const Buffer<int32_t> whose(ctx, std::vector<int32_t>(static_cast<size_t>(n), static_cast<int32_t>(worker)));
        const Rows rows = all.rows(n, whose.view());
        risk_->hessian_vector(ctx, rows, Slot{clock_.data(), 0}, point(n), e, bent_.view(n, p_));
        const auto& slope = slopes_[static_cast<size_t>(worker)];
        const auto bent = to_host(ctx, MatrixView<const T>(bent_.view(n, p_)));
        for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
          double sum = 0;
          for (size_t j = 0; j < static_cast<size_t>(p_); ++j) {
            const auto x = static_cast<double>(moved[i * static_cast<size_t>(p_) + j]);
            sum +=
                x * (static_cast<double>(slope[j]) + 0.5 * static_cast<double>(bent[i * static_cast<size_t>(p_) + j]));
          }
          const auto at = static_cast<size_t>(first) + i;
          f[at] += samples_ > 0 ? sum : objectives[at]->worker_weights[static_cast<size_t>(worker)] * sum;
        }
      }
    }
    return f;
  }
  Scores test(const Context& ctx, MatrixView<const T> w) override { return risk_->test(ctx, w); }
  Scores train(const Context& ctx, MatrixView<const T> w) override { return risk_->train(ctx, w); }

 private:
  // f(w*) for each of the objectives; each different one is taken once
  std::vector<double> at_point(const Context& ctx, const std::vector<const Objective*>& objectives) {
    std::vector<const Objective*> distinct;
    std::vector<size_t> which;
    for (const Objective* o : objectives) {
      which.push_back(static_cast<size_t>(std::find(distinct.begin(), distinct.end(), o) - distinct.begin()));
      if (which.back() == distinct.size()) distinct.push_back(o);
    }
    const auto values = risk_->objective(ctx, point(static_cast<int64_t>(distinct.size())), distinct);
    std::vector<double> f;
    for (const size_t i : which) f.push_back(values[i]);
    return f;
  }
  MatrixView<const T> point(int64_t n) const { return {point_.data(), n, p_, 0, point_.view(1, p_).where()}; }
  // w - w*
  MatrixView<const T> away(const Context& ctx, MatrixView<const T> w) {
    const int64_t n = w.extent(0);
    const MatrixView<T> e = away_.view(n, p_);
    for (int64_t r = 0; r < n; ++r)
      detail::copy(ctx, e.row(r), ctx.backend, w.row(r), ctx.backend, p_ * int64_t{sizeof(T)});
    blend<T>(ctx, minus_.view().part(0, n), point(n), plus_.view().part(0, n), e);
    return e;
  }

  std::unique_ptr<Model<T>> risk_;
  int64_t p_, workers_, samples_, held_;
  Buffer<T> point_, away_, bent_;
  Buffer<int64_t> clock_;  // 0: whole data have no slot
  Buffer<int32_t> no_batch_;
  Buffer<double> plus_, minus_;
  std::vector<std::vector<T>>
      slopes_;  // gradients at w* of what the objective is summed over; made when first asked for
};

class ShortTermSpec final : public ModelSpec {
 public:
  explicit ShortTermSpec(std::unique_ptr<ModelSpec> risk) : risk_(std::move(risk)) {}

  std::optional<QuadraticRisk> quadratic_risk() const override { return risk_->quadratic_risk(); }
  std::string kind() const override { return risk_->kind() + ", short-term model"; }
  bool needs_data() const override { return risk_->needs_data(); }
  bool needs_even_samples() const override { return risk_->needs_data(); }
  bool allocates_in_steps() const override { return true; }
  void check_workers(int64_t workers) const override { risk_->check_workers(workers); }
  std::vector<Tensor> layout(int64_t features, int classes) const override { return risk_->layout(features, classes); }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return make<float>(ctx, in);
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return make<double>(ctx, in);
  }
  int64_t workspace(Backend b, const ModelInputs& in, int64_t features, int64_t size) const override {
    return risk_->workspace(b, in, features, size) +
           (2 * in.rows + 1) * risk_->parameters(features, in.classes) * size + in.rows * 20;
  }
  int64_t scratch(Backend b, const ModelInputs& in, int64_t features, int64_t size) const override {
    return risk_->scratch(b, in, features, size) + in.rows * risk_->parameters(features, in.classes) * size +
           in.rows * 64;
  }
  std::vector<double> start(int64_t workers, int64_t features, int classes, uint64_t seed,
                            int64_t* rows) const override {
    return risk_->start(workers, features, classes, seed, rows);
  }

 private:
  template <class T>
  std::unique_ptr<Model<T>> make(const Context& ctx, const ModelInputs& in) const {
    int64_t rows = 1;
    const auto point = risk_->start(in.workers, in.train.features(), in.classes, 0, &rows);
    return std::make_unique<ShortTerm<T>>(ctx, in, risk_->bind(ctx, in, T{}), point);
  }
  std::unique_ptr<ModelSpec> risk_;
};

}  // namespace

std::unique_ptr<ModelSpec> short_term(std::unique_ptr<ModelSpec> risk) {
  return std::make_unique<ShortTermSpec>(std::move(risk));
}

}  // namespace orrery
