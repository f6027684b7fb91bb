// iid: all samples in random order, cut into consecutive parts.
#include "datasets/partition/cut.hpp"

namespace orrery::partition {
namespace {

class Iid final : public Partitioner {
 public:
  explicit Iid(Params& p) : sizes_(read_sizes(p)) {}
  Partition split(const std::vector<int32_t>& labels, int, int64_t workers, uint64_t seed) const override {
    const auto n = static_cast<int64_t>(labels.size());
    std::vector<int64_t> sizes = part_sizes(sizes_, n, workers);
    std::vector<int32_t> order = identity(n);
    shuffle(order, Stream(seed, Draw::partition, 0, kShuffleAll));
    return cut(std::move(order), std::move(sizes));
  }

 private:
  Sizes sizes_;
};

}  // namespace

extern const Entry<Partitioner> iid{"iid", "all samples in random order, cut into parts (sizes)",
                                    [](Params& p) -> std::unique_ptr<Partitioner> { return std::make_unique<Iid>(p); }};

}  // namespace orrery::partition
