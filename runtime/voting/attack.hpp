// Adversaries among the voters (papers/signsgd-fv.md 6.2, 7.5): [algorithm.attack].
//
//   inversion   sends -Y                                      with rate r < 1: each coordinate inverted with probability r ("stochastic flip")
//   gaussian    sends the sign of N(0, deviation^2)           in place of its gradient
//   noise       sends the sign of g + N(0, deviation^2)
//   colluders   know how the honest workers below their node vote, and all send the opposite: F of them turn every coordinate whose
//               honest sum is below F
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"

namespace orrery {

struct AttackSpec {
  enum class Kind { none, inversion, gaussian, noise, colluders } kind = Kind::none;
  double rate = 1, deviation = 1;
  int64_t first = 0;             // the first so many workers,
  std::vector<int64_t> workers;  // or these, where it is not empty

  bool on() const { return kind != Kind::none; }
  bool on_numbers() const { return kind == Kind::gaussian || kind == Kind::noise; }  // before there are signs
  std::vector<uint8_t> chosen(int64_t all) const;                                    // (all) 1: an adversary
};

AttackSpec read_attack(Params& algorithm);
// Throws ExperimentError with file, line and key where an attacker is none of the workers.
void check_attack(const Params& experiment, const AttackSpec&, int64_t workers);

}  // namespace orrery
