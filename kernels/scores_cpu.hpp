// The loop of the scores on the CPU: pieces of samples over the threads, in each all models on the samples that are at hand.
#pragma once

#include <omp.h>

#include <algorithm>

#include "kernels/core/buffer.hpp"
#include "kernels/scores.hpp"

namespace orrery::detail {

// batches: one per thread, with
//   gather(first, count)   takes samples first .. first+count-1, count <= places
//   load(m)                brings model m to them
//   score(k, hit)          the loss of the k-th of them at that model, and whether it is a hit
// A task sums `piece` samples, `places` at a time.
template <class Batch>
Scores sum_scores(const Context& ctx, std::vector<Batch>& batches, int64_t n, int64_t models, int64_t piece,
                  int64_t places, MatrixView<const double> u, const std::vector<int64_t>& row_of_model) {
  const int64_t pieces = (n + piece - 1) / piece;
  const Buffer<double> loss(ctx, pieces * models), hits(ctx, pieces * models);
#pragma omp parallel num_threads(static_cast <int>(batches.size()))
  {
    Batch& batch = batches[static_cast<size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic)
    for (int64_t p = 0; p < pieces; ++p)
      for (int64_t first = p * piece; first < std::min(n, (p + 1) * piece); first += places) {
        const int64_t count = std::min(places, n - first);
        batch.gather(first, count);
        for (int64_t m = 0; m < models; ++m) {
          batch.load(m);
          double &l = loss.data()[p * models + m], &h = hits.data()[p * models + m];
          for (int64_t k = 0; k < count; ++k) {
            bool hit = false;
            const double one = batch.score(k, hit);
            const double weight =
                u.extent(0) == 0 ? 1.0 / static_cast<double>(n) : u(row_of_model[static_cast<size_t>(m)], first + k);
            l += weight * one;
            h += hit ? weight : 0.0;
          }
        }
      }
  }

  // the pieces in order
  Scores scores{std::vector<double>(static_cast<size_t>(models)), std::vector<double>(static_cast<size_t>(models))};
  for (int64_t i = 0; i < loss.size(); ++i) {
    scores.loss[static_cast<size_t>(i % models)] += loss.data()[i];
    scores.hits[static_cast<size_t>(i % models)] += hits.data()[i];
  }
  return scores;
}

}  // namespace orrery::detail
