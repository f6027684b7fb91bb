// The batches of many rows one after the other, without padding: what one pass over all rows at one shared point works on.
//
//   rows 3 and 5 with batches of 4 and 60:   places 0 .. 3 are row 3's samples, places 4 .. 63 row 5's
//
// Host only. A chunk is as many whole rows as its places hold, or a piece of one row that no chunk holds whole.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace orrery {

struct SegmentChunk {
  int64_t first = 0, count = 0;  // its segments: numbers in the list of batches
  int64_t first_sample = 0;      // of its only segment, where that comes in pieces
  bool last_piece = true;
  std::vector<int64_t> begin;  // (count + 1) places; the last one: places in use

  int64_t places() const { return begin.back(); }
  bool first_piece() const { return first_sample == 0; }
  bool whole() const { return first_piece() && last_piece; }
};

// Every batch in order, `places` > 0 at a time. Empty batches take no place but are listed.
std::vector<SegmentChunk> cut_into_chunks(std::span<const int64_t> batches, int64_t places);

}  // namespace orrery
