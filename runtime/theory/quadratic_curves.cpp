#include "runtime/theory/quadratic_curves.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "runtime/theory/dispersion.hpp"

namespace orrery {
namespace {

constexpr double most_operations = 5e8;

// Coordinates by what they are made of: (curvature, centre, start) of every worker and the noise -> how many there are,
// those of one of several starts by its share.
std::map<std::vector<double>, double> distinct_coordinates(const QuadraticRisk& q, const QuadraticRun& run, size_t n) {
  std::map<std::vector<double>, double> found;
  std::vector<double> key(3 * n + 1);
  const double share = 1 / static_cast<double>(run.starts.size());
  for (const auto& start : run.starts)
    for (int64_t j = 0; j < q.dimension; ++j) {
      for (size_t i = 0; i < n; ++i) {
        const auto w = static_cast<int64_t>(i);
        key[i] = q.curvature(w, j);
        key[n + i] = q.center(w, j);
        key[2 * n + i] = start[static_cast<size_t>((run.start_rows > 1 ? w : 0) * q.dimension + j)];
      }
      key[3 * n] = q.noise(j);
      found[key] += share;
    }
  return found;
}

}  // namespace

QuadraticCurves quadratic_curves(const QuadraticRisk& q, const Network& network, const QuadraticRun& run) {
  const auto& a = network.weights();
  const size_t n = a.size(), tiers = network.tiers().size() + (network.top().nodes() > 1 ? 1 : 0);
  const auto workers = static_cast<double>(n);
  QuadraticCurves c;
  if (run.record_steps.empty()) return {{}, {}, {}, "nothing is recorded"};
  if (static_cast<double>(q.dimension) * workers * static_cast<double>(run.starts.size()) > 2e7 || workers > 2048)
    return {{}, {}, {}, "too many workers and coordinates to follow"};

  const auto coordinates = distinct_coordinates(q, run, n);
  const bool curved = std::any_of(coordinates.begin(), coordinates.end(), [&](const auto& k) {
    return std::any_of(k.first.begin(), k.first.begin() + static_cast<std::ptrdiff_t>(n),
                       [](double h) { return h != 0; });
  });
  const Schedule schedule(network.spec());
  const auto steps = static_cast<double>(run.record_steps.back());
  double dense = static_cast<double>(run.record_steps.size());  // visits to all W^2 covariances
  if (curved) dense += steps;
  for (const auto& tier : network.spec().tiers) dense += 2 * steps / static_cast<double>(tier.classes().front());
  if (network.spec().graph) dense += 2 * steps / static_cast<double>(network.spec().graph->period);
  if (static_cast<double>(coordinates.size()) * (dense * workers * workers + steps * workers) > most_operations)
    return {{}, {}, {}, "too many steps, workers and distinct coordinates to follow"};

  c.dispersion.assign(tiers, std::vector<double>(run.record_steps.size()));
  c.consensus_distance.assign(run.record_steps.size(), 0);
  c.grad_norm_sq = c.consensus_distance;
  for (const auto& [key, count] : coordinates) {
    const auto part = [&, k = &key](size_t which) {
      const auto first = k->begin() + static_cast<std::ptrdiff_t>(which * n);
      return std::vector<double>(first, first + static_cast<std::ptrdiff_t>(n));
    };
    LinearSlot slot{
        .eta = run.learning_rate, .h = part(0), .mu = part(1), .sigma2 = {}, .p = step_rates(network.spec())};
    double curvature = 0, pull = 0;
    const double noise_sq = key.back() * key.back();
    for (size_t i = 0; i < n; ++i) {
      slot.mu[i] *= -slot.h[i];
      slot.sigma2.push_back(run.batch[i] > 0 ? noise_sq / static_cast<double>(run.batch[i]) : 0);
      curvature += a[i] * slot.h[i];
      pull -= a[i] * slot.mu[i];
    }
    Moments x(part(2));
    int64_t t = 0;
    for (size_t at = 0; at < run.record_steps.size(); ++at) {
      for (; t < run.record_steps[at]; ++t) {
        x.slot(slot);
        x.act(network, schedule.after(t + 1));
      }
      const auto split = x.split(network);
      for (size_t k = 0; k < tiers; ++k) c.dispersion[k][at] += count * split[k];
      c.consensus_distance[at] += count * std::accumulate(split.begin(), split.end(), 0.0);
      const double gradient = curvature * x.mean_of(a) - pull;
      c.grad_norm_sq[at] +=
          count * (gradient * gradient + (curvature > 0 ? curvature * curvature * x.variance_of(a) : 0));
    }
  }
  return c;
}

}  // namespace orrery
