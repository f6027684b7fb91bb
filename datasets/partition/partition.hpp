// Which training samples each worker holds.
//
//   worker w holds samples order[begin[w]], ..., order[begin[w] + size[w] - 1]
//
// For every kind but `shared` the workers' ranges are disjoint and cover all samples; with `shared` every worker has begin 0 and size n.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"
#include "kernels/core/registry.hpp"

namespace orrery {

struct Partition {
  std::vector<int32_t> order;
  std::vector<int64_t> begin, size;  // (W)

  int64_t workers() const { return static_cast<int64_t>(size.size()); }
  std::string hash() const;  // 16 hex digits over workers, begin, size and order: equal partitions, equal hashes

  void write(const std::string& path)
      const;  // text: a header with workers, samples and hash, then one line a worker; by rename
  static Partition read(const std::string& path,
                        int64_t samples);  // throws DataError (truncated, hash differs, index out of range)
};

// One entry of [partition] after parsing.
class Partitioner {
 public:
  virtual ~Partitioner() = default;
  // Deterministic in its arguments. Throws DataError or ExperimentError where the data cannot be cut so (fewer samples than workers, ...).
  virtual Partition split(const std::vector<int32_t>& labels, int classes, int64_t workers, uint64_t seed) const = 0;
};

const Table<Partitioner>& partition_table();

struct PartitionSpec {
  std::unique_ptr<Partitioner> partitioner;
  std::optional<uint64_t> seed;  // [partition] seed; absent: the seed of each replica
};
PartitionSpec make_partition(Params& partition);  // reads [partition]; kind defaults to "iid"

}  // namespace orrery
