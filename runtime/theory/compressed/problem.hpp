// The linear problem behind an arm: curvatures, centers and optimum of its quadratics, its start as a deviation from the method's fixed point, and
// why the error recursion is not linear or does not end at the optimum.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/compressed/spec.hpp"
#include "runtime/run.hpp"
#include "runtime/theory/compressed/closed_loop.hpp"

namespace orrery::compressed_theory {

struct Problem {
  bool quadratic = false;
  std::vector<double> curvature, center;  // (n, P) of quadratics of at most 2^21 numbers; empty otherwise
  std::vector<double> optimum;            // (P) of the same
  double L = 0, Lt = 0, mu = 0;           // of the objective; root mean square of the workers'
  bool heterogeneous = false;             // the workers' gradients at the optimum are not zero
  bool noisy = false;                     // gradients are of batches, with noise
  Mixing laplacian;                       // empty with a server

  std::string why_not_linear;  // "" where the recursion is linear
  std::string
      why_not_optimum;  // "" where its fixed point is the optimum, or agreement; says where it goes in place of that
};
Problem problem_of(const Experiment&, size_t arm, const RunResult&);

// The deviation of the first replica's start from the fixed point, and of everything that the method keeps. Needs a linear problem.
LoopState start_of(const Experiment&, size_t arm, const Problem&);

// Gradients that the workers have at the optimum (n, P).
std::vector<double> gradients_at_optimum(const Problem&);

// f is strongly convex and its parts are smooth: "" where that is known; else what is known.
std::string why_not_strongly_convex(const ModelSpec&, const Problem&);

}  // namespace orrery::compressed_theory
