// [record.escape]: when a watched metric first passes a level, looked at more often than metrics are recorded.
//
//   metric = a metric that costs a pass over the parameters or one over a small risk's models     above = level, or below = level (strictly)
//   every = 1: steps between two looks, divides record.every; every record point is looked at, too
// The metrics escape_time (first step that was looked at and had passed; NaN until then) and escaped (0 or 1) say the result, per replica;
// escape_kilobits what one worker had sent by then, mean over all that was sent: 10^3 bits, each message counted once however many hear it, its
// numbers at 32 bits whatever the precision of the run (papers/st-compression.md 3.1, S7); NaN until then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"

namespace orrery {

struct EscapeSpec {
  std::string metric;
  bool above = true;
  double level = 0;
  int64_t every = 1;
  bool passed(double value) const { return above ? value > level : value < level; }  // never by NaN
};

struct Arm;
// `section` is [record.escape]; throws through Params::fail.
EscapeSpec parse_escape(Params section, int64_t record_every, const std::vector<Arm>& arms);

inline bool is_escape_metric(const std::string& metric) {
  return metric == "escape_time" || metric == "escaped" || metric == "escape_kilobits";
}

}  // namespace orrery
