#include "runtime/participation.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/participation.hpp"

namespace orrery {

DeviceGroups::DeviceGroups(const Context& ctx, const std::vector<const Groups*>& groups,
                           const std::vector<int64_t>& first_row, bool partial, const std::vector<int64_t>& only) {
  std::vector<int64_t> begin{0}, member, all;
  std::vector<double> weight;
  for (size_t lane = 0; lane < groups.size(); ++lane) {
    const Groups& g = *groups[lane];
    all.resize(static_cast<size_t>(g.nodes()));
    std::iota(all.begin(), all.end(), 0);
    for (const int64_t k : only.empty() ? all : only) {
      const auto a = static_cast<size_t>(g.begin[static_cast<size_t>(k)]),
                 b = static_cast<size_t>(g.begin[static_cast<size_t>(k) + 1]);
      for (size_t m = a; m < b; ++m) {
        member.push_back(first_row[lane] + g.member[m]);
        weight.push_back(g.weight[m]);
      }
      begin.push_back(static_cast<int64_t>(member.size()));
      largest_ = std::max(largest_, static_cast<int64_t>(b - a));
    }
  }
  nodes_ = static_cast<int64_t>(begin.size()) - 1;
  begin_ = Buffer<int64_t>(ctx, begin);
  member_ = Buffer<int64_t>(ctx, member);
  weight_ = Buffer<double>(ctx, weight);
  if (partial) live_ = Buffer<double>(ctx, weight);
}

void DeviceGroups::scale(const Context& ctx, VectorView<const double> scale) {
  scale_weights(ctx, member_.view(), weight_.view(), scale, live_.view());
}

Participation::Participation(const Context& ctx, const NetworkSpec& spec, int64_t lanes) {
  std::vector<int64_t> count, period;
  std::vector<int32_t> index;
  for (int64_t lane = 0; lane < lanes; ++lane)
    for (int64_t k = 0; k < spec.tiers[0].nodes; ++k) {
      count.push_back(spec.participants[static_cast<size_t>(k)]);
      period.push_back(spec.tiers[0].period_of(k));
      index.push_back(static_cast<int32_t>(k));
    }
  count_ = Buffer<int64_t>(ctx, count);
  period_ = Buffer<int64_t>(ctx, period);
  index_ = Buffer<int32_t>(ctx, index);
}

void Participation::draw(const Context& ctx, const DeviceGroups& first_tier, VectorView<const uint64_t> seed, Slot slot,
                         VectorView<uint32_t> words, VectorView<uint8_t> present, VectorView<double> scale) const {
  draw_participants(ctx, {first_tier.table(), count_.view(), period_.view(), index_.view()}, seed, slot, words, present,
                    scale);
}

}  // namespace orrery
