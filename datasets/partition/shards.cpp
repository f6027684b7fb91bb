// shards: sort by label, cut, deal (McMahan, Moore, Ramage, Hampson, Aguera y Arcas, AISTATS 2017).
//
//   1. all samples sorted by label, file order within a label
//   2. cut into W*s shards of equal size (to one)
//   3. each worker gets s shards at random, each shard goes to one worker
#include <fmt/format.h>

#include <algorithm>

#include "datasets/partition/cut.hpp"

namespace orrery::partition {
namespace {

class Shards final : public Partitioner {
 public:
  explicit Shards(Params& p) : per_worker_(p.integer("shards_per_worker", 2, between(1, 1'000'000))) {
    refuse_sizes(p, "with \"shards\" every worker gets as many shards");
  }

  Partition split(const std::vector<int32_t>& labels, int, int64_t workers, uint64_t seed) const override {
    expects(workers > 0, "at least one worker");
    const auto n = static_cast<int64_t>(labels.size());
    if (n / per_worker_ < workers)
      throw DataError(fmt::format(
          "partition.shards_per_worker: {} training samples are too few for {} workers with {} shards each; lower "
          "network.workers or partition.shards_per_worker, or use more data",
          n, workers, per_worker_));
    std::vector<int32_t> sorted = identity(n);
    std::stable_sort(sorted.begin(), sorted.end(), [&](int32_t a, int32_t b) { return labels[a] < labels[b]; });

    const int64_t shards = workers * per_worker_;
    std::vector<int32_t> dealt = identity(shards);
    shuffle(dealt, Stream(seed, Draw::partition, 0, kDeal));
    std::vector<int32_t> order;
    order.reserve(sorted.size());
    std::vector<int64_t> sizes(static_cast<size_t>(workers), 0);
    for (int64_t k = 0; k < shards; ++k) {
      const int64_t begin = dealt[k] * n / shards, end = (dealt[k] + int64_t{1}) * n / shards;
      order.insert(order.end(), sorted.begin() + begin, sorted.begin() + end);
      sizes[k / per_worker_] += end - begin;
    }
    return cut(std::move(order), std::move(sizes));
  }

 private:
  int64_t per_worker_;
};

}  // namespace

extern const Entry<Partitioner> shards{
    "shards", "sort by label, cut, deal shards_per_worker to each",
    [](Params& p) -> std::unique_ptr<Partitioner> { return std::make_unique<Shards>(p); }};

}  // namespace orrery::partition
