// shared: every worker sees all samples.
#include "datasets/partition/cut.hpp"

namespace orrery::partition {
namespace {

class Shared final : public Partitioner {
 public:
  explicit Shared(Params& p) { refuse_sizes(p, "with \"shared\" every worker sees all samples"); }
  Partition split(const std::vector<int32_t>& labels, int, int64_t workers, uint64_t) const override {
    expects(workers > 0, "at least one worker");
    const auto n = static_cast<int64_t>(labels.size());
    if (n == 0) throw DataError("partition: there are 0 training samples; use more data");
    Partition p;
    p.order = identity(n);
    p.begin.assign(static_cast<size_t>(workers), 0);
    p.size.assign(static_cast<size_t>(workers), n);
    return p;
  }
};

}  // namespace

extern const Entry<Partitioner> shared{
    "shared", "every worker sees all samples",
    [](Params& p) -> std::unique_ptr<Partitioner> { return std::make_unique<Shared>(p); }};

}  // namespace orrery::partition
