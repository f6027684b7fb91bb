// file: a partition that Partition::write wrote.
#include <fmt/format.h>

#include "datasets/partition/cut.hpp"

namespace orrery::partition {
namespace {

class File final : public Partitioner {
 public:
  explicit File(Params& p) : path_(p.file_path("path")) {
    if (path_.empty()) p.fail("path", "is empty; give the file of a partition");
    refuse_sizes(p, "with \"file\" they stand in the file");
  }
  Partition split(const std::vector<int32_t>& labels, int, int64_t workers, uint64_t) const override {
    Partition p = Partition::read(path_, static_cast<int64_t>(labels.size()));
    if (p.workers() != workers)
      throw DataError(fmt::format("{}:2: holds a partition for {} workers, but network.workers = {}; make them equal",
                                  path_, p.workers(), workers));
    return p;
  }

 private:
  std::string path_;
};

}  // namespace

extern const Entry<Partitioner> file{"file", "read from the file path", [](Params& p) -> std::unique_ptr<Partitioner> {
                                       return std::make_unique<File>(p);
                                     }};

}  // namespace orrery::partition
