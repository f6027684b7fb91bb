#include "runtime/landscape.hpp"

#include <fmt/format.h>

#include <cmath>

#include "kernels/core/rng.hpp"
#include "runtime/csv.hpp"
#include "runtime/run.hpp"

namespace orrery {

LandscapeSpec parse_landscape(Params p) {
  LandscapeSpec s;
  s.directions = p.integer("directions", 1, between(1, 1000));
  s.points = p.integer("points", 21, between(2, 10001));
  s.radius = p.number("radius", 1.0, above(0));
  s.test = p.flag("test", false);
  return s;
}

std::vector<double> LandscapeSpec::alphas() const {
  std::vector<double> all;
  for (int64_t j = 0; j < points; ++j)  // the middle of an odd number is exactly 0
    all.push_back(radius * static_cast<double>(2 * j - (points - 1)) / static_cast<double>(points - 1));
  return all;
}

int64_t LandscapeSpec::together(int64_t parameters, int64_t element_size) const {
  return std::clamp<int64_t>((int64_t{32} << 20) / (parameters * element_size), 1, points);
}

std::vector<double> filter_normalised_direction(const std::vector<Tensor>& layout, const std::vector<double>& u,
                                                uint64_t seed, int64_t direction) {
  std::vector<double> d(u.size());
  const Stream draw(seed, Draw::landscape, static_cast<uint32_t>(direction), 0);
  for (const Tensor& t : layout) {
    if (t.filters == Tensor::Filters::none) continue;
    int64_t size = 1;
    for (const int64_t n : t.shape) size *= n;
    // filter k holds the entries first(k), first(k) + stride, ...
    const bool rows = t.filters == Tensor::Filters::rows, columns = t.filters == Tensor::Filters::columns;
    const int64_t filters = rows ? t.shape[0] : columns ? t.shape[1] : 1;
    const int64_t length = size / filters, stride = columns ? filters : 1, step = columns ? 1 : length;
    for (int64_t k = 0; k < filters; ++k) {
      double model = 0, drawn = 0;
      for (int64_t i = 0; i < length; ++i) {
        const auto at = static_cast<size_t>(t.offset + k * step + i * stride);
        d[at] = draw.normal(static_cast<uint32_t>(at));
        model += u[at] * u[at];
        drawn += d[at] * d[at];
      }
      const double scale = drawn > 0 ? std::sqrt(model / drawn) : 0;
      for (int64_t i = 0; i < length; ++i) d[static_cast<size_t>(t.offset + k * step + i * stride)] *= scale;
    }
  }
  return d;
}

template <class T>
std::vector<LandscapePoint> landscape(const Context& ctx, Model<T>& model, const LandscapeSpec& spec,
                                      const std::vector<Tensor>& layout, const std::vector<double>& u,
                                      const Objective& objective, int64_t replica, uint64_t seed) {
  const auto alphas = spec.alphas();
  const auto p = static_cast<int64_t>(u.size());
  const int64_t together = spec.together(p, sizeof(T));
  std::vector<LandscapePoint> all;
  for (int64_t k = 0; k < spec.directions; ++k) {
    const auto d = filter_normalised_direction(layout, u, seed, k);
    for (int64_t first = 0; first < spec.points; first += together) {
      const int64_t n = std::min(together, spec.points - first);
      std::vector<T> host;
      for (int64_t j = 0; j < n; ++j)
        for (size_t i = 0; i < u.size(); ++i)
          host.push_back(static_cast<T>(u[i] + alphas[static_cast<size_t>(first + j)] * d[i]));
      const Buffer<T> points(ctx, host);
      const auto loss =
          model.objective(ctx, points.view(n, p), std::vector<const Objective*>(static_cast<size_t>(n), &objective));
      const Scores scores = spec.test ? model.test(ctx, points.view(n, p)) : Scores{};
      for (int64_t j = 0; j < n; ++j) {
        const auto i = static_cast<size_t>(j);
        LandscapePoint point{replica, k, alphas[static_cast<size_t>(first + j)], loss[i]};
        if (spec.test) point.test_loss = scores.loss[i], point.test_accuracy = scores.hits[i];
        all.push_back(point);
      }
    }
  }
  return all;
}

std::string landscape_csv(const Experiment& e, const RunResult& r) {
  const int digits = e.precision == Precision::fp64 ? 17 : 9;
  const bool test = e.record.landscape->test;
  std::string csv = e.has_arms ? "arm,replica,direction,alpha,train_loss" : "replica,direction,alpha,train_loss";
  csv += test ? ",test_loss,test_accuracy\n" : "\n";
  for (size_t a = 0; a < r.arms.size(); ++a)
    for (const LandscapePoint& p : r.arms[a].landscape) {
      if (e.has_arms) csv += csv_field(e.arms[a].name) + ",";
      csv += fmt::format("{},{},{:.9g},{:.{}g}", p.replica, p.direction, p.alpha, p.train_loss, digits);
      if (test) csv += fmt::format(",{:.{}g},{:.{}g}", p.test_loss, digits, p.test_accuracy, digits);
      csv += "\n";
    }
  return csv;
}

template std::vector<LandscapePoint> landscape(const Context&, Model<float>&, const LandscapeSpec&,
                                               const std::vector<Tensor>&, const std::vector<double>&, const Objective&,
                                               int64_t, uint64_t);
template std::vector<LandscapePoint> landscape(const Context&, Model<double>&, const LandscapeSpec&,
                                               const std::vector<Tensor>&, const std::vector<double>&, const Objective&,
                                               int64_t, uint64_t);

}  // namespace orrery
