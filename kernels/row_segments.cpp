#include "kernels/row_segments.hpp"

#include <algorithm>

#include "kernels/core/backend.hpp"

namespace orrery {

std::vector<SegmentChunk> cut_into_chunks(std::span<const int64_t> batches, int64_t places) {
  expects(places > 0, "room for a sample");
  std::vector<SegmentChunk> chunks;
  const auto n = static_cast<int64_t>(batches.size());
  for (int64_t s = 0; s < n;) {
    const int64_t size = batches[static_cast<size_t>(s)];
    // one row that no chunk holds whole
    if (size > places) {
      for (int64_t k = 0; k < size; k += places)
        chunks.push_back({s, 1, k, k + places >= size, {0, std::min(places, size - k)}});
      ++s;
      continue;
    }
    // whole rows
    SegmentChunk c{.first = s, .begin = {0}};
    for (; s < n && c.begin.back() + batches[static_cast<size_t>(s)] <= places; ++s, ++c.count)
      c.begin.push_back(c.begin.back() + batches[static_cast<size_t>(s)]);
    chunks.push_back(std::move(c));
  }
  return chunks;
}

}  // namespace orrery
