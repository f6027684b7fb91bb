#include "datasets/partition/cut.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace orrery::partition {

void shuffle(std::span<int32_t> v, const Stream& stream) {
  for (size_t i = v.size(); i > 1; --i)
    std::swap(v[i - 1], v[stream.below(static_cast<uint32_t>(i), static_cast<uint32_t>(i))]);
}

std::vector<int32_t> identity(int64_t n) {
  std::vector<int32_t> v(static_cast<size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

Sizes read_sizes(Params& p) {
  if (p.is_array("sizes")) return {p.numbers("sizes", above(0))};
  p.choice("sizes", "equal", {"equal"});
  return {};
}

void refuse_sizes(const Params& p, const std::string& why) {
  if (p.has("sizes"))
    p.fail("sizes", fmt::format("works with the kinds iid, contiguous and dirichlet, but {}; remove it", why));
}

std::vector<int64_t> part_sizes(const Sizes& sizes, int64_t n, int64_t workers, int64_t least) {
  expects(workers > 0 && least > 0, "at least one worker with at least one sample");
  if (n / least < workers)
    throw DataError(
        least == 1
            ? fmt::format("network.workers: {} training samples are too few for {} workers; lower network.workers or "
                          "use more data",
                          n, workers)
            : fmt::format(
                  "partition.min_size: {} training samples are too few for {} workers with at least {} each; lower "
                  "network.workers or "
                  "partition.min_size, or use more data",
                  n, workers, least));

  // Everyone gets `least`; of n, those whose share is below it are fixed there and the others share the rest in
  // proportion.
  const auto count = static_cast<size_t>(workers);
  std::vector<double> share(count);
  const double largest = *std::max_element(sizes.relative.begin(), sizes.relative.end());
  for (size_t w = 0; w < count; ++w)
    share[w] = sizes.relative[w % sizes.relative.size()] / largest;  // sums stay finite
  std::vector<char> fixed(count, 0);
  double rest = static_cast<double>(n), weight = std::accumulate(share.begin(), share.end(), 0.0);
  for (bool changed = true; changed;) {
    changed = false;
    const double per_weight = rest / weight;
    for (size_t w = 0; w < count; ++w)
      if (!fixed[w] && share[w] * per_weight < static_cast<double>(least)) {
        fixed[w] = 1;
        changed = true;
      }
    rest = static_cast<double>(n);
    weight = 0;
    for (size_t w = 0; w < count; ++w) fixed[w] ? rest -= static_cast<double>(least) : weight += share[w];
    if (weight == 0) break;
  }

  // Largest remainders.
  std::vector<int64_t> size(count, least);
  std::vector<double> remainder(count, -1);
  int64_t left = n;
  for (size_t w = 0; w < count; ++w) {
    if (!fixed[w]) {
      const double exact = share[w] * (rest / weight);
      size[w] = std::max(least, static_cast<int64_t>(exact));
      remainder[w] = exact - static_cast<double>(size[w]);
    }
    left -= size[w];
  }
  std::vector<int32_t> order = identity(workers);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return remainder[a] > remainder[b]; });
  for (size_t k = 0; left > 0; k = (k + 1) % count) {
    ++size[order[k]];
    --left;
  }
  for (size_t k = count - 1; left<0; k = k> 0 ? k - 1 : count - 1) {  // where rounding gave one too many
    if (size[order[k]] == least) continue;
    --size[order[k]];
    ++left;
  }
  return size;
}

Partition cut(std::vector<int32_t> order, std::vector<int64_t> sizes) {
  Partition p;
  p.order = std::move(order);
  p.size = std::move(sizes);
  p.begin.resize(p.size.size());
  std::exclusive_scan(p.size.begin(), p.size.end(), p.begin.begin(), int64_t{0});
  return p;
}

Partition join(const std::vector<std::vector<int32_t>>& parts) {
  std::vector<int32_t> order;
  std::vector<int64_t> sizes;
  for (const auto& part : parts) {
    order.insert(order.end(), part.begin(), part.end());
    sizes.push_back(static_cast<int64_t>(part.size()));
  }
  return cut(std::move(order), std::move(sizes));
}

std::vector<std::vector<int32_t>> by_class(const std::vector<int32_t>& labels, int classes, uint64_t seed) {
  std::vector<std::vector<int32_t>> of_class(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) {
    expects(labels[i] >= 0 && labels[i] < classes, "labels below the number of classes");
    of_class[labels[i]].push_back(static_cast<int32_t>(i));
  }
  for (int c = 0; c < classes; ++c)
    shuffle(of_class[c], Stream(seed, Draw::partition, static_cast<uint32_t>(c), kShuffleClass));
  return of_class;
}

}  // namespace orrery::partition
