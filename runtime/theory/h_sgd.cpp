#include "runtime/theory/h_sgd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/error.hpp"

namespace orrery::h_sgd {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// H = b 1^T: every node receives the weighted mean.
bool averages_exactly(const Mixing& mixing, const std::vector<double>& b) {
  if (mixing.source.size() != b.size() * b.size()) return false;
  const auto h = mixing.dense();
  for (size_t j = 0; j < h.size(); ++j)
    for (const double to : h[j])
      if (std::abs(to - b[j]) > 1e-12) return false;
  return true;
}

int64_t shortest_period(const Tree& t) {
  int64_t shortest = t.period.back();
  for (const OwnPeriod& g : t.own) shortest = std::min(shortest, g.period);
  return shortest;
}

}  // namespace

Tree tree(const std::vector<int64_t>& nodes, const std::vector<int64_t>& period) {
  expects(!period.empty() && nodes.size() == period.size() + 1 && nodes[0] == 1, "n_0 = 1 and a period per level");
  Tree t;
  t.nodes = nodes;
  t.period = period;
  const auto n = static_cast<double>(nodes.back());
  t.square_weights = 1 / n;
  for (size_t l = 1; l < nodes.size(); ++l) {
    expects(nodes[l] >= nodes[l - 1] && (l == 1 || period[l - 1] <= period[l - 2]),
            "more nodes and shorter periods downward");
    t.share.push_back(static_cast<double>(nodes[l] - nodes[l - 1]) / n);
    t.name.push_back(fmt::format("level {}", l));
  }
  return t;
}

TreeOf tree_of(const Network& network) {
  const NetworkSpec& spec = network.spec();
  const bool graph = !network.mixing().empty() && spec.top_nodes() > 1;
  if (!graph && spec.top_nodes() > 1)
    return {{},
            spec.tiers.empty() ? "nothing averages the workers"
                               : fmt::format("nothing averages the {} nodes of tier \"{}\"", spec.top_nodes(),
                                             spec.tiers.back().name)};
  if (graph && (network.mixing().size() > 1 || !averages_exactly(network.mixing()[0], network.top().mass)))
    return {{}, "the graph mixes without averaging exactly, and the bound is for trees of averages"};

  // From the root downward; above the root everything is one node of weight 1.
  Tree t;
  t.nodes.push_back(1);
  const auto& a = network.weights();
  std::vector<double> above(a.size(), 1.0);  // weight of the parent of worker i
  const auto level = [&](const std::string& name, int64_t nodes, int64_t period, auto mass_of) {
    double share = 0;
    for (size_t i = 0; i < a.size(); ++i) {
      const double mass = mass_of(i);
      if (a[i] > 0) share += a[i] * a[i] * (1 / mass - 1 / above[i]);
      above[i] = mass;
    }
    t.name.push_back(name);
    t.nodes.push_back(nodes);
    t.period.push_back(period);
    t.share.push_back(std::max(0.0, share));
  };
  const auto tier_mass = [&](const Groups& g) {
    return [&g](size_t i) { return g.mass[static_cast<size_t>(g.node_of[i])]; };
  };
  const auto worker_mass = [&](size_t i) { return a[i]; };
  if (graph) {
    if (spec.tiers.empty())
      level("graph", spec.workers, spec.graph->period, worker_mass);
    else
      level("graph", spec.top_nodes(), spec.graph->period, tier_mass(network.tiers().back()));
  }
  for (size_t k = spec.tiers.size(); k-- > 0;) {
    if (k > 0)
      level(spec.tiers[k].name, spec.tiers[k - 1].nodes, spec.tiers[k].period, tier_mass(network.tiers()[k - 1]));
    else
      level(spec.tiers[k].name, spec.workers, spec.tiers[k].period, worker_mass);
  }
  if (!spec.tiers.empty() && spec.tiers[0].classes().size() > 1) {
    const Groups& groups = network.tiers()[0];
    for (int64_t k = 0; k < groups.nodes(); ++k) {
      const auto node = static_cast<size_t>(k);
      OwnPeriod own{groups.begin[node + 1] - groups.begin[node], spec.tiers[0].period_of(k), groups.mass[node], 0};
      for (auto m = groups.begin[node]; m < groups.begin[node + 1]; ++m) {
        const double w = a[static_cast<size_t>(groups.member[static_cast<size_t>(m)])];
        if (w > 0) own.share += w * w * (1 / w - 1 / own.mass);
      }
      t.own.push_back(own);
    }
    t.period.back() = spec.tiers[0].classes().back();
  }
  if (t.period.empty()) return {{}, "one worker alone: nothing to average"};
  t.square_weights = 0;
  for (const double x : a) t.square_weights += x * x;
  const auto [least, most] = std::minmax_element(a.begin(), a.end());
  t.equal_weights = *most - *least <= 1e-12 * *most;
  return {std::move(t), ""};
}

double a1(const Tree& t) {
  double sum = 0;
  const size_t common = t.levels() - (t.own.empty() ? 0 : 1);
  for (size_t l = 0; l < common; ++l) sum += static_cast<double>(t.period[l]) * t.share[l];
  for (const OwnPeriod& g : t.own) sum += static_cast<double>(g.period) * g.share;
  return sum;
}

std::vector<double> random_grouping(const Tree& t) {
  expects(t.nodes.back() > 1, "two workers at least");
  std::vector<double> part;
  for (size_t l = 1; l < t.nodes.size(); ++l)
    part.push_back(static_cast<double>(t.nodes[l] - t.nodes[l - 1]) / static_cast<double>(t.nodes.back() - 1));
  return part;
}

double a2(const Tree& t) {
  const auto part = random_grouping(t);
  const auto squared = [](int64_t p) { return static_cast<double>(p) * static_cast<double>(p); };
  double sum = 0;
  const size_t common = t.levels() - (t.own.empty() ? 0 : 1);
  for (size_t l = 0; l < common; ++l) sum += squared(t.period[l]) * part[l];
  for (const OwnPeriod& g : t.own)
    sum += squared(g.period) * static_cast<double>(g.workers - 1) / static_cast<double>(t.nodes.back() - 1);
  return sum;
}

Interval sandwich_a1(const Tree& t) {
  const double all = 1 - t.square_weights;
  return {all * static_cast<double>(shortest_period(t)), all * static_cast<double>(t.period.front())};
}

Interval sandwich_a2(const Tree& t) {
  const auto squared = [](int64_t p) { return static_cast<double>(p) * static_cast<double>(p); };
  return {squared(shortest_period(t)), squared(t.period.front())};
}

double noise_period(const Tree& t) { return a1(t) / (1 - t.square_weights); }
double heterogeneity_period(const Tree& t) { return std::sqrt(a2(t)); }

Condition condition(const Tree& t, double gamma, double L) {
  Condition k;
  k.gamma_L = gamma * L;
  k.holds = k.gamma_L <= 1;
  for (size_t l = 0; l < t.levels(); ++l) {
    const auto p = static_cast<double>(t.period[l]);
    k.c.push_back((l + 1 == t.levels() ? 2 : 3) * k.gamma_L * k.gamma_L * p * (p - 1));
    k.holds = k.holds && k.c.back() < 1;
  }
  k.sufficient = 2 * std::sqrt(6.0) * static_cast<double>(t.period.front()) * k.gamma_L;
  return k;
}

double Bound::dispersion() const {
  double sum = 0;
  for (const double v : local_noise) sum += v;
  for (const double v : local_drift) sum += v;
  return sum;
}

Bound bound(const Tree& t, const Setting& s) {
  expects(s.gamma > 0, "a positive learning rate");
  expects(s.divergence.size() == t.levels(), "a divergence per level");
  const Condition k = condition(t, s.gamma, s.L);
  Bound b;
  b.initial = 2 * s.gap / (s.gamma * s.steps);
  b.noise = s.gamma * s.L * s.sigma2 * t.square_weights;
  b.L2 = s.L * s.L;
  double scale = 1;  // 1 / product of (1 - c_k) over the levels above
  const auto over = [](double c) { return c < 1 ? 1 / (1 - c) : infinite; };
  const auto scaled = [&](double v, double by) { return v == 0 ? 0.0 : s.gamma * s.gamma * v * scale * by; };
  const auto drift = [](double p) { return 2.0 / 3 * (p - 1) * (2 * p - 1); };  // of level M
  for (size_t l = 0; l < t.levels(); ++l) {
    const auto p = static_cast<double>(t.period[l]);
    const bool last = l + 1 == t.levels();
    const double here = over(k.c[l]);
    double noise = 0, far = 0;
    if (!last || t.own.empty()) {
      noise = scaled((p - 1) * t.share[l] * s.sigma2, here);
      far = scaled((last ? drift(p) : 1.5 * drift(p)) * s.divergence[l], here);
    }
    for (size_t i = 0; last && i < t.own.size(); ++i) {
      const auto own = static_cast<double>(t.own[i].period);
      const double by = over(2 * k.gamma_L * k.gamma_L * own * (own - 1));
      noise += scaled((own - 1) * t.own[i].share * s.sigma2, by);
      if (!s.group_divergence.empty()) far += scaled(drift(own) * t.own[i].mass * s.group_divergence[i], by);
    }
    if (last && !t.own.empty() && s.group_divergence.empty()) far = scaled(drift(p) * s.divergence[l], here);
    b.local_noise.push_back(noise);
    b.local_drift.push_back(far);
    scale *= here;
  }
  return b;
}

}  // namespace orrery::h_sgd
