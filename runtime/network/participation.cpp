#include "runtime/network/participation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace orrery {
namespace {

// floor(n f) where n f is whole but for rounding: 100 * 0.29 gives 29
int64_t share(int64_t n, double f) { return static_cast<int64_t>(std::floor(static_cast<double>(n) * f + 1e-9)); }

bool nobody(const std::vector<int64_t>& counts) {
  return std::any_of(counts.begin(), counts.end(), [](int64_t n) { return n == 0; });
}

// f with six digits, rounded up
double written(double f) { return std::ceil(f * 1e6 - 1e-3) / 1e6; }

// The smallest fraction, in six digits, that leaves no group empty.
double smallest(const std::vector<int64_t>& sizes) {
  std::vector<double> candidates{0.5 / static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}))};
  if (sizes.size() > 1)
    candidates.push_back(1.0 / static_cast<double>(*std::min_element(sizes.begin(), sizes.end() - 1)));
  for (const double f : candidates)
    if (!nobody(participants(sizes, written(f)))) return written(f);
  return written(1.0 / static_cast<double>(*std::min_element(sizes.begin(), sizes.end())));
}

std::vector<int64_t> sizes_of_first_tier(const NetworkSpec& s) {
  const TierSpec& tier = s.tiers[0];
  std::vector<int64_t> sizes;
  for (int64_t k = 0; k < tier.nodes; ++k)
    sizes.push_back(tier.groups.empty() ? (k + 1) * s.workers / tier.nodes - k * s.workers / tier.nodes
                                        : static_cast<int64_t>(tier.groups[static_cast<size_t>(k)].size()));
  return sizes;
}

}  // namespace

std::vector<int64_t> participants(const std::vector<int64_t>& sizes, double fraction) {
  auto counts = participants(sizes, std::vector<double>{fraction});
  const int64_t all = std::accumulate(sizes.begin(), sizes.end(), int64_t{0});
  const int64_t total = static_cast<int64_t>(std::floor(static_cast<double>(all) * fraction + 0.5 + 1e-9));
  const int64_t rest = total - std::accumulate(counts.begin(), counts.end(), int64_t{0});
  counts.back() = std::clamp<int64_t>(counts.back() + rest, 0, sizes.back());
  return counts;
}

std::vector<int64_t> participants(const std::vector<int64_t>& sizes, const std::vector<double>& fractions) {
  std::vector<int64_t> counts;
  for (size_t k = 0; k < sizes.size(); ++k) counts.push_back(share(sizes[k], fractions[k % fractions.size()]));
  return counts;
}

void read_participation(Params& p, NetworkSpec& s) {
  if (!p.has("participation")) return;
  const Range range{.min = 0, .max = 1, .min_open = true};
  const bool list = p.is_array("participation");
  const auto fractions =
      list ? p.numbers("participation", range) : std::vector<double>{p.number("participation", std::nullopt, range)};
  if (s.tiers.empty())
    p.fail("participation", "there are no tiers, so there are no groups to draw workers from; give network.tiers");
  const auto sizes = sizes_of_first_tier(s);
  const auto counts = list ? participants(sizes, fractions) : participants(sizes, fractions[0]);
  const auto empty = std::find(counts.begin(), counts.end(), 0);
  if (empty != counts.end()) {
    const auto k = static_cast<size_t>(empty - counts.begin());
    p.fail("participation",
           fmt::format("{:g} of the {} worker{} of node {} of tier \"{}\" is nobody; use at least {:.6g}",
                       fractions[k % fractions.size()], sizes[k], sizes[k] == 1 ? "" : "s", k, s.tiers[0].name,
                       list ? written(1.0 / static_cast<double>(sizes[k])) : smallest(sizes)));
  }
  if (counts != sizes) s.participants = counts;
}

}  // namespace orrery
