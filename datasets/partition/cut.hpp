// What the kinds of partition share: relative sizes, shuffles and the checks.
//
// Random numbers come from Stream(seed, Draw::partition, worker or class, step); each purpose has a step of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datasets/partition/partition.hpp"
#include "kernels/core/rng.hpp"

namespace orrery::partition {

enum Step : uint64_t {
  kShuffleAll = 0,
  kShuffleClass = 1,
  kDeal = 2,
  kWorkerOrder = 3,
  kWorkerClasses = 4,
  kGamma = 5
};

// Fisher-Yates; a permutation of v that depends on the stream and the size of v only.
void shuffle(std::span<int32_t> v, const Stream& stream);
std::vector<int32_t> identity(int64_t n);  // 0, 1, ..., n-1

// "equal", or relative sizes cycled over the workers.
struct Sizes {
  std::vector<double> relative{1.0};
};
Sizes read_sizes(Params&);  // reads `sizes`, default "equal"
void refuse_sizes(const Params&,
                  const std::string& why);  // an error where `sizes` is set: this kind settles them itself

// Sizes of W parts of n, each at least `least`, in the given proportions to rounding (largest remainders, lower
// worker first).
// Throws DataError where n < W * least.
std::vector<int64_t> part_sizes(const Sizes&, int64_t n, int64_t workers, int64_t least = 1);

// The order cut into consecutive parts.
Partition cut(std::vector<int32_t> order, std::vector<int64_t> sizes);
Partition join(const std::vector<std::vector<int32_t>>& parts);  // one part a worker

// The samples of each class, each class shuffled.
std::vector<std::vector<int32_t>> by_class(const std::vector<int32_t>& labels, int classes, uint64_t seed);

}  // namespace orrery::partition
