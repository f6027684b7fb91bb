// The section [theory]: which constants of the theory are estimated in a run, and which the user knows.
#pragma once

#include <optional>

#include "kernels/core/params.hpp"

namespace orrery {

struct TheorySpec {
  bool given =
      false;  // the file has the section; without it `orrery theory` estimates at the start, `orrery run` not at all
  enum class Estimate {
    off,
    start,
    record
  } estimate = Estimate::off;        // record: at every record point, the maximum counts
  std::optional<double> optimum;     // f*
  std::optional<double> smoothness;  // L
  std::optional<double> sigma_sq;    // variance of a step's gradient
  // votes: sums over the coordinates of the smoothness L_n and of the deviation sigma_n of one sample's gradient
  std::optional<double> smoothness_norm1, sigma_norm1;
};
TheorySpec parse_theory(Params theory);

}  // namespace orrery
