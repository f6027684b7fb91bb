// contiguous: worker i holds the i-th block of the file order.
#include "datasets/partition/cut.hpp"

namespace orrery::partition {
namespace {

class Contiguous final : public Partitioner {
 public:
  explicit Contiguous(Params& p) : sizes_(read_sizes(p)) {}
  Partition split(const std::vector<int32_t>& labels, int, int64_t workers, uint64_t) const override {
    const auto n = static_cast<int64_t>(labels.size());
    return cut(identity(n), part_sizes(sizes_, n, workers));
  }

 private:
  Sizes sizes_;
};

}  // namespace

extern const Entry<Partitioner> contiguous{
    "contiguous", "worker i holds the i-th block of the file order (sizes)",
    [](Params& p) -> std::unique_ptr<Partitioner> { return std::make_unique<Contiguous>(p); }};

}  // namespace orrery::partition
