// One step of the network error wt_k = w* - w_k under the short-term model (papers/diffusion-flatness.md 3, 4.2), for agents
// with p coordinates that do not touch the others: a diagonal problem is M of these with p = 1, a dense one is one with p = M.
//
//   X is (K p, c): block row k belongs to agent k;    mix: X_k <- sum_l a_{lk} X_l;    adapt: X_k <- (I - mu H_k) X_k
//   linear part L of a step    centralized     adapt, then all rows <- their mean
//                              consensus       X_k <- sum_l a_{lk} X_l - mu H_k X_k
//                              diffusion       adapt, mix            diffusion_cta  mix, adapt
//   mean                       as L, with mu d_k added after adapting (and before what follows)
//   covariance                 X <- L X L^T, with (mu^2/B) blkdiag{R_k} added at the same place
//
// Result  same bits run to run. Cost  mean O(nnz(A) p + K p^2), covariance K p times that; K^2 p^2 numbers.
// The building block of moments.hpp and stability.hpp; checks nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/network/network.hpp"
#include "runtime/theory/diffusion/linear_problem.hpp"
#include "runtime/theory/diffusion/strategy.hpp"

namespace orrery::diffusion {

struct ErrorRecursion {
  Strategy strategy = Strategy::centralized;
  size_t agents = 1, width = 1;  // K, p
  double step = 0, batch = 1;    // mu, B
  std::vector<double> H, d, R;   // (K,p,p), (K,p), (K,p,p)

  size_t size() const { return agents * width; }
  void step_mean(const Mixing& A, std::vector<double>& mean) const;              // (K p)
  void step_covariance(const Mixing& A, std::vector<double>& covariance) const;  // (K p, K p), symmetric
  std::vector<double> linear_part(const Mixing& A) const;                        // L (K p, K p)

 private:
  void before_noise(const Mixing& A, std::vector<double>& X, size_t columns) const;
  void after_noise(const Mixing& A, std::vector<double>& X, size_t columns) const;
  void adapt(std::vector<double>& X, size_t columns, const std::vector<double>& onto) const;
  void mix(const Mixing& A, std::vector<double>& X, size_t columns) const;
  void average(std::vector<double>& X, size_t columns) const;
};

std::vector<ErrorRecursion> error_recursions(const LinearProblem&, Strategy);  // M of width 1, or one of width M

}  // namespace orrery::diffusion
