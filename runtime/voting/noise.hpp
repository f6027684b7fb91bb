// Noise in front of the sign (papers/signsgd-fv.md 7.4): [algorithm.noise].  Y = sign(g + b xi), so that a bit says how large g is.
//
//   uniform    xi on [-1, 1]: +1 with probability 1/2 + g/(2b) where |g| <= b          noisy signs, stochastic signs, z-signs with z = infinity
//   gaussian   xi standard normal                                                       noisy signs, z-signs with z = 1
//
//   scale      b: a number; "max": the largest |g| of the worker (stochastic signs); "norm": its 2-norm (SSDM, with momentum)
#pragma once

#include "kernels/core/params.hpp"

namespace orrery {

struct NoiseSpec {
  enum class Law { none, uniform, gaussian } law = Law::none;
  enum class Scale { number, largest, norm } scale = Scale::number;
  double value = 0;  // of Scale::number

  bool on() const { return law != Law::none; }
  // eta_z b with eta_z = 1 (uniform), sqrt(pi/2) (gaussian): E[amplitude * Y] = g where b is large; 1 where b is not one number
  double amplitude() const;
};
NoiseSpec read_noise(Params& algorithm);

}  // namespace orrery
