#include "runtime/theory/waiting.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace orrery::waiting {
namespace {

constexpr double negligible = 1e-18;
constexpr double most_cells = 20000;

// Both ends cut where what lies beyond is negligible.
Distribution trimmed(Distribution d) {
  size_t begin = 0, end = d.p.size();
  while (begin + 1 < end && d.p[begin] < negligible) ++begin;
  while (end > begin + 1 && d.p[end - 1] < negligible) --end;
  return {d.first + static_cast<int64_t>(begin),
          {d.p.begin() + static_cast<std::ptrdiff_t>(begin), d.p.begin() + static_cast<std::ptrdiff_t>(end)}};
}

Distribution convolved(const Distribution& a, const Distribution& b) {
  Distribution c{a.first + b.first, std::vector<double>(a.p.size() + b.p.size() - 1)};
  for (size_t i = 0; i < a.p.size(); ++i)
    for (size_t j = 0; j < b.p.size(); ++j) c.p[i + j] += a.p[i] * b.p[j];
  return trimmed(std::move(c));
}

double cells(double n, double rate) { return 24 * std::sqrt(n * (1 - rate)) / rate + 45 / rate; }

}  // namespace

double Distribution::mean() const {
  double total = 0, sum = 0;
  for (size_t i = 0; i < p.size(); ++i) total += p[i], sum += p[i] * static_cast<double>(i);
  return static_cast<double>(first) + sum / total;
}

double Distribution::variance() const {
  const double centre = mean() - static_cast<double>(first);
  double total = 0, sum = 0;
  for (size_t i = 0; i < p.size(); ++i)
    total += p[i], sum += p[i] * (static_cast<double>(i) - centre) * (static_cast<double>(i) - centre);
  return sum / total;
}

Distribution successes(int64_t n, double rate) {
  if (rate >= 1) return {n, {1.0}};
  const auto steps = static_cast<double>(n);
  const double failures = steps * (1 - rate) / rate, width = cells(steps, rate) / 2;
  const auto from = static_cast<int64_t>(std::max(0.0, failures - width));
  const auto to = static_cast<int64_t>(failures + width) + 1;
  Distribution d{n + from, {}};
  for (int64_t i = from; i <= to; ++i) {
    const auto k = static_cast<double>(i);
    d.p.push_back(std::exp(std::lgamma(steps + k) - std::lgamma(k + 1) - std::lgamma(steps) + steps * std::log(rate) +
                           k * std::log1p(-rate)));
  }
  return trimmed(std::move(d));
}

Distribution slowest(const std::vector<const Distribution*>& all) {
  int64_t first = 0, last = 0;
  std::map<const Distribution*, int64_t> times;
  for (const Distribution* d : all) {
    first = std::max(first, d->first);
    last = std::max(last, d->first + static_cast<int64_t>(d->p.size()) - 1);
    ++times[d];
  }
  std::vector<double> function(static_cast<size_t>(last - first + 1), 1.0);  // P(max <= first + i)
  for (const auto& [d, n] : times) {
    double below = 0;
    for (int64_t t = d->first; t <= last; ++t) {
      if (const auto i = static_cast<size_t>(t - d->first); i < d->p.size()) below += d->p[i];
      if (t >= first)
        function[static_cast<size_t>(t - first)] *= std::pow(std::min(below, 1.0), static_cast<double>(n));
    }
  }
  Distribution out{first, function};
  for (size_t i = 1; i < function.size(); ++i) out.p[i] = function[i] - function[i - 1];
  return trimmed(std::move(out));
}

Distribution sum(const Distribution& one, int64_t times) {
  Distribution total{0, {1.0}}, power = one;
  for (int64_t n = times; n > 0; n /= 2) {
    if (n % 2 == 1) total = convolved(total, power);
    if (n > 1) power = convolved(power, power);
  }
  return total;
}

std::string why_no_round(const Network& network) {
  const NetworkSpec& spec = network.spec();
  if (spec.tiers.empty() && !spec.graph) return "nothing is ever waited for";
  if (!spec.participants.empty()) return "only some workers of a group take part, and who is waited for is drawn";
  if (spec.tiers.size() == 1 && !spec.graph && !spec.tiers[0].periods.empty())
    return "the nodes of the top tier have periods of their own";
  const double slowest_rate = *std::min_element(spec.rates.begin(), spec.rates.end());
  if (!(slowest_rate > 0)) return "a worker of rate 0 is waited for without end";
  const int64_t longest = spec.graph ? spec.graph->period : spec.tiers.back().period;
  if (cells(static_cast<double>(longest), slowest_rate) > most_cells)
    return "the table of its durations would be too long";
  return "";
}

std::optional<Distribution> round_duration(const Network& network) {
  if (!why_no_round(network).empty()) return std::nullopt;
  const NetworkSpec& spec = network.spec();
  const auto& tiers = network.tiers();
  const int64_t longest = spec.graph ? spec.graph->period : spec.tiers.back().period;

  // equal nodes are worked out once: a node is the sorted list of (what each child's period is, how many of them)
  std::vector<Distribution> known;
  std::map<std::pair<int64_t, double>, size_t> workers;
  std::map<std::vector<std::pair<size_t, int64_t>>, size_t> nodes;
  const auto node_of_children = [&](std::vector<std::pair<size_t, int64_t>> children) {
    std::sort(children.begin(), children.end());
    if (const auto found = nodes.find(children); found != nodes.end()) return found->second;
    std::map<std::pair<size_t, int64_t>, Distribution> sums;
    for (const auto& c : children)
      if (!sums.contains(c)) sums[c] = sum(known[c.first], c.second);
    std::vector<const Distribution*> all;
    for (const auto& c : children) all.push_back(&sums[c]);
    known.push_back(slowest(all));
    return nodes[children] = known.size() - 1;
  };
  const auto worker = [&](int64_t i, int64_t steps) {
    const std::pair key{steps, spec.rates[static_cast<size_t>(i)]};
    if (const auto found = workers.find(key); found != workers.end()) return found->second;
    known.push_back(successes(key.first, key.second));
    return workers[key] = known.size() - 1;
  };

  std::vector<size_t> below;  // per node of the tier below, its period's distribution
  for (size_t tier = 0; tier < tiers.size(); ++tier) {
    const Groups& g = tiers[tier];
    std::vector<std::vector<std::pair<size_t, int64_t>>> children(static_cast<size_t>(g.nodes()));
    if (tier == 0)
      for (int64_t i = 0; i < spec.workers; ++i) {
        const int64_t k = g.node_of[static_cast<size_t>(i)];
        children[static_cast<size_t>(k)].push_back({worker(i, spec.tiers[0].period_of(k)), 1});
      }
    else
      for (int64_t c = 0; c < tiers[tier - 1].nodes(); ++c) {
        const Groups& finer = tiers[tier - 1];
        const int64_t first = finer.member[static_cast<size_t>(finer.begin[static_cast<size_t>(c)])];
        children[static_cast<size_t>(g.node_of[static_cast<size_t>(first)])].push_back(
            {below[static_cast<size_t>(c)], spec.tiers[tier].period / spec.tiers[tier - 1].period_of(c)});
      }
    below.clear();
    for (auto& c : children) below.push_back(node_of_children(std::move(c)));
  }

  std::vector<std::pair<size_t, int64_t>> top;
  if (tiers.empty())
    for (int64_t i = 0; i < spec.workers; ++i) top.push_back({worker(i, longest), 1});
  for (size_t k = 0; k < below.size(); ++k)
    top.push_back({below[k], longest / spec.tiers.back().period_of(static_cast<int64_t>(k))});
  return known[node_of_children(std::move(top))];
}

}  // namespace orrery::waiting
