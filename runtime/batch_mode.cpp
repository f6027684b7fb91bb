#include "runtime/batch_mode.hpp"

#include <fmt/format.h>

#include "kernels/core/error.hpp"

namespace orrery {

std::vector<int64_t> mode_batches(int64_t mode, int64_t workers) {
  if (mode < 1 || mode > 4) throw ExperimentError(fmt::format("there is no batch mode {}; choose 1, 2, 3 or 4", mode));
  if (workers < 1) throw ExperimentError(fmt::format("a batch mode needs one worker at least, not {}", workers));
  if ((mode == 2 || mode == 3) && workers % 5 != 0)
    throw ExperimentError(fmt::format(
        "batch mode {} splits the workers by fifths; choose a multiple of 5 instead of {} workers", mode, workers));

  const auto all = static_cast<size_t>(workers);
  if (mode == 1) return std::vector<int64_t>(all, 64);
  std::vector<int64_t> batch(all, 4);
  if (mode == 4)
    batch[0] = 60 * workers + 4;
  else
    for (size_t i = all / 5 * (mode == 2 ? 3 : 4); i < all; ++i) batch[i] = mode == 2 ? 154 : 304;
  return batch;
}

}  // namespace orrery
