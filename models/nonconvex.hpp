// What two-well and factorization share: risks of a few parameters (kernels/nonconvex.hpp) in which workers differ by one number c_i.
// The global objective has the same form: f = F with c = sum_i a_i c_i, plus a constant that the risk knows. Weights a_i add up to 1.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/nonconvex.hpp"
#include "models/model.hpp"

namespace orrery {

// One number per worker: a number or an array `key`, plus `<key>_spread` times t_k, the standardised (mean 0, mean square 1) fractional parts
// of 0.6180339887498949 k: values that differ regularly, whatever the number of workers.
class OwnNumbers {
 public:
  OwnNumbers(Params&, const std::string& key, double fallback);
  void check_workers(int64_t workers) const;  // throws ExperimentError
  std::vector<double> of(int64_t workers) const;

 private:
  Params params_;
  std::string key_;
  std::vector<double> values_;
  double spread_ = 0;
};

template <class Risk, class T>
class Nonconvex final : public Model<T> {
 public:
  using Rest = double (*)(const std::vector<double>& weights, const std::vector<double>& own, double mean);
  using Minimiser = std::optional<std::vector<double>> (*)(const Risk&, double own);

  // rest: the constant of f beside F; minimiser: of F
  Nonconvex(const Context& ctx, Risk risk, std::vector<double> own, Rest rest, Minimiser minimiser)
      : risk_(risk), own_(std::move(own)), rest_(rest), minimiser_(minimiser), device_own_(ctx, own_) {
    risk_.own = device_own_.view();
  }
  int64_t parameters() const override { return Risk::parameters; }
  void local_steps(const Context& ctx, const Rows& rows, Slot slot, int64_t steps, MatrixView<T> w,
                   const Momentum<T>& m) override {
    nonconvex_steps<Risk, T>(ctx, risk_, rows, slot, steps, w, m);
  }
  void gradients(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<T> g) override {
    nonconvex_gradients<Risk, T>(ctx, risk_, rows, slot, w, g);
  }
  void hessian_vector(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> w, MatrixView<const T> v,
                      MatrixView<T> out) override {
    nonconvex_hessian<Risk, T>(ctx, risk_, rows, slot, w, v, out);
  }
  std::vector<double> objective(const Context& ctx, MatrixView<const T> w,
                                const std::vector<const Objective*>& objectives) override {
    Risk f = risk_;
    const Totals t = totals(objectives);
    const Buffer<double> own(ctx, t.mean);
    const Buffer<int32_t> which(ctx, t.which);
    const Buffer<double> losses(ctx, w.extent(0));
    f.own = own.view();
    nonconvex_losses<Risk, T>(ctx, f, which.view(), w, losses.view());
    auto out = losses.to_host(ctx);
    for (size_t m = 0; m < out.size(); ++m) out[m] += t.rest[static_cast<size_t>(t.which[m])];
    return out;
  }
  std::optional<std::vector<double>> gradient_norms(const Context& ctx, MatrixView<const T> w,
                                                    const std::vector<const Objective*>& objectives) override {
    const Totals t = totals(objectives);
    const std::vector<T> x = to_host(ctx, w);
    std::vector<double> out(t.which.size());
    for (size_t m = 0; m < out.size(); ++m) {
      double at[Risk::parameters], g[Risk::parameters];
      for (size_t j = 0; j < Risk::parameters; ++j) at[j] = static_cast<double>(x[m * Risk::parameters + j]);
      risk_.gradient(t.mean[static_cast<size_t>(t.which[m])], at, 0, g);
      for (const double v : g) out[m] += v * v;
    }
    return out;
  }
  Scores test(const Context&, MatrixView<const T>) override { throw std::logic_error("this model has no test set"); }
  std::optional<std::vector<double>> optimum(const Objective& o) const override {
    return minimiser_ ? minimiser_(risk_, mean(o.worker_weights)) : std::nullopt;
  }

 private:
  struct Totals {
    std::vector<int32_t> which;  // (M) the objective of each point, of
    std::vector<double> mean, rest;
  };
  double mean(const std::vector<double>& weights) const {
    double sum = 0;
    for (size_t i = 0; i < own_.size(); ++i) sum += weights[i] * own_[i];
    return sum;
  }
  Totals totals(const std::vector<const Objective*>& objectives) const {
    Totals t;
    const std::vector<double>* last = nullptr;
    for (const Objective* o : objectives) {  // points of one objective lie together
      if (!last || (last != &o->worker_weights && *last != o->worker_weights)) {
        t.mean.push_back(mean(o->worker_weights));
        t.rest.push_back(rest_ ? rest_(o->worker_weights, own_, t.mean.back()) : 0);
      }
      last = &o->worker_weights;
      t.which.push_back(static_cast<int32_t>(t.mean.size()) - 1);
    }
    return t;
  }

  Risk risk_;
  std::vector<double> own_;
  Rest rest_;
  Minimiser minimiser_;
  Buffer<double> device_own_;
};

}  // namespace orrery
