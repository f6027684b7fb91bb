// Rows that a run does not have: chosen samples of chosen workers, whole lists at a time, for gradients at a shared point.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/rows.hpp"

namespace orrery {

inline constexpr int64_t most_estimate_workers = 16, most_estimate_samples = 256;

// k evenly spaced of n
inline std::vector<int64_t> spread(int64_t n, int64_t k) {
  std::vector<int64_t> out;
  k = std::min(n, k);
  for (int64_t i = 0; i < k; ++i) out.push_back(i * n / k);
  return out;
}

// Rows over chosen samples: row r belongs to worker[r] and takes the exact gradient over its own list.
struct SampledRows {
  Buffer<uint64_t> seed;
  Buffer<int32_t> worker, batch, order;
  Buffer<double> one;
  Buffer<int64_t> begin, size;
  Rows rows;

  SampledRows(const Context& ctx, uint64_t replica_seed, const std::vector<int32_t>& workers,
              const std::vector<std::vector<int32_t>>& samples) {
    std::vector<int32_t> all;
    std::vector<int64_t> first, count;
    for (const auto& list : samples) {
      first.push_back(static_cast<int64_t>(all.size()));
      count.push_back(static_cast<int64_t>(list.size()));
      all.insert(all.end(), list.begin(), list.end());
    }
    seed = Buffer<uint64_t>(ctx, std::vector<uint64_t>(workers.size(), replica_seed));
    worker = Buffer<int32_t>(ctx, workers);
    batch = Buffer<int32_t>(ctx, static_cast<int64_t>(workers.size()));  // 0: all of the list
    one = Buffer<double>(ctx, std::vector<double>(workers.size(), 1.0));
    rows.count = static_cast<int64_t>(workers.size());
    rows.seed = seed.view();
    rows.worker = worker.view();
    rows.learning_rate = rows.rate = one.view();
    rows.batch = batch.view();
    rows.max_batch = 1;
    if (samples.empty()) return;  // a model without data
    order = Buffer<int32_t>(ctx, all);
    begin = Buffer<int64_t>(ctx, first);
    size = Buffer<int64_t>(ctx, count);
    rows.begin = begin.view();
    rows.size = size.view();
    rows.order = order.view();
    rows.max_batch = *std::max_element(count.begin(), count.end());
  }
};

}  // namespace orrery
