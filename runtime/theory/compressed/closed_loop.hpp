// The error recursion of a method with compressed messages where it is linear: quadratic objectives (or none) and a linear compressor. Its state is
// the deviation from the method's fixed point, so that it goes to zero where the method converges.
//
//   flows          x, v, xh of runtime/compressed/flow.cpp       v* = -(eta/beta) grad f_i(x*), xh* = x*
//   choco-gossip   x, xh                                         around the mean of the start
//   lead, cedas    x, d, h                                       eta d* = -eta grad f_i(x*), h* = x*
//   ef21           x, h                                          h_i* = grad f_i(x*)
//
// The modes that never move (the mean of x in consensus, the sum of the dual states) are projected out.
//
// Shapes   banks (n, m), row-major float64: a row per worker, m coordinates from `first` on; m = P, or 1 where coordinates do not mix.
// Cost     a step: O(links m + n m); decay(): an eigenvalue problem of order 3 n (coordinates apart) or 3 n P, O(order^3), or a long product.
// Result   the same bits for any number of threads.
#pragma once

#include <complex>
#include <optional>
#include <vector>

#include "runtime/compressed/spec.hpp"
#include "runtime/network/network.hpp"
#include "runtime/theory/compressed/linear_maps.hpp"

namespace orrery::compressed_theory {

struct LoopState {
  std::vector<double> x, v, h;  // (n, m) each; empty where the method has none
};

// How fast the error falls: |error after k steps| ~ exp(-decay k). Negative: it grows.
struct LoopDecay {
  double decay = 0;    // a step
  double radius = 1;   // of the product over a period, where `exact`; else exp(-decay)
  int64_t period = 1;  // slots
  bool exact = true;   // an eigenvalue; else the growth of a product of `steps` factors over its second half
  int64_t steps = 0;
  std::vector<std::complex<double>> eigenvalues = {};  // of the step, where the period is 1, those of all coordinates
};

class ClosedLoop {
 public:
  // curvature (n, P): empty for methods without gradients. weights (n): of the server's mean. laplacian: symmetric; empty for a server. All outlive it.
  ClosedLoop(const CompressedSpec&, double learning_rate, const std::vector<double>& weights, const Mixing& laplacian,
             const std::vector<double>& curvature, LinearMaps& maps);

  // One slot of the coordinates first ... first + m - 1. nothing_sent: LEAD's first.
  void step(int64_t slot, int64_t first, int64_t m, LoopState&, bool nothing_sent = false);
  // Cheaper first: coordinates apart, all of them, a long product of at most `steps` factors. Empty where even that takes more than `operations`.
  std::optional<LoopDecay> decay(int64_t steps, double operations = 5e8);
  // The first k with sqrt(sum_i a_i |x_i|^2) < tolerance within `steps` steps from a start at deviations x, v, h; -1: none, empty: too many operations.
  std::optional<int64_t> first_below(const LoopState& start, double tolerance, int64_t steps, double operations = 5e8);
  double distance(const LoopState&) const;

 private:
  double step_cost(int64_t m) const;
  int64_t banks() const { return 1 + (has_v_ ? 1 : 0) + (has_h_ ? 1 : 0); }
  LoopState zero(int64_t m) const;
  std::vector<double> period_matrix(int64_t first, int64_t m);  // (order, order), column by column
  void gradients(int64_t first, int64_t m, const std::vector<double>& x);
  void send(int64_t first, int64_t m, const std::vector<double>& x);
  void mix(int64_t m, const std::vector<double>& x, std::vector<double>& out) const;
  void take_mean_out(int64_t m, std::vector<double>& bank) const;
  void flow_step(int64_t first, int64_t m, LoopState&);
  void choco_step(int64_t first, int64_t m, LoopState&);
  void lead_step(int64_t first, int64_t m, LoopState&, bool nothing_sent);
  void server_step(int64_t first, int64_t m, LoopState&);

  const CompressedSpec& spec_;
  double s_;
  const std::vector<double>& weights_;
  const Mixing& laplacian_;
  const std::vector<double>& curvature_;
  LinearMaps& maps_;
  int64_t n_, P_;
  bool has_v_, has_h_;
  std::vector<double> g_, q_, y_, l_;  // (n, m) scratch
};

}  // namespace orrery::compressed_theory
