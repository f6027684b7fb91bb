// Exact mean and covariance of the network error, and what they say of the excess risk (papers/diffusion-flatness.md 4.1, 4.2).
// Any graph, also one that varies with time, any H_k. Host only, float64. With the matrices of error_recursion.hpp:
//
//   wt_k,n = w* - w_k,n,   m_n = E wt_n,  Sig_n = Cov wt_n          m_0 = the start (0: all agents at w*), Sig_0 = 0
//   ER_n   = (1/K) sum_k E J(w_k,n) - J(w*)     = (1/2K) [ Tr((I (x) Hbar) Sig_n) + m_n^T (I (x) Hbar) m_n ]     agent average
//   ER^c_n = E J(w_c,n) - J(w*),  w_c = (1/K) sum_k w_k          centroid
//   consensus distance  (1/K) sum_k E |w_k,n - w_c,n|^2
//   escape   P(J(w_n) - J(w*) >= delta) <= ER_n / delta          (Markov)
//
// The centralized strategy has one model: unequal starts are averaged by its first step.
//
// Memory M K^2 numbers (diagonal) or (K M)^2. A step costs M K nnz(A), or K M (M nnz(A) + K M^2); settling about 30 products of
// matrices of that order. Result: steps have the same bits run to run; settling promises what the BLAS does.
// Errors  std::logic_error from check(), and where the start or the matrix has the wrong size.
#pragma once

#include "runtime/theory/diffusion/error_recursion.hpp"

namespace orrery::diffusion {

struct ExcessRisk {
  double bias = 0, noise = 0;  // from the mean, from the covariance
  double total() const { return bias + noise; }
};

class Moments {
 public:
  Moments(const LinearProblem&, Strategy, const std::vector<double>& start = {});  // wt_k,0 (K,M); empty: 0

  void step(const Mixing& A);  // centralized does not read A, but for its size
  // n to infinity with the same A at every step. Throws ExperimentError where the spectral radius is 1 or more.
  void settle(const Mixing& A);

  ExcessRisk excess_risk() const;       // ER, agent average
  ExcessRisk excess_risk_mean() const;  // ER^c, at the centroid
  double consensus_distance() const;

  double mean(size_t agent, size_t m) const;
  double covariance(size_t k, size_t m, size_t l, size_t j) const;  // of wt_k[m] and wt_l[j]

 private:
  struct Part {  // what one ErrorRecursion knows
    ErrorRecursion recursion;
    std::vector<double> mean, covariance, Hbar;  // (K p), (K p, K p), (p, p)
  };
  void check_size(const Mixing& A) const;
  std::vector<Part> parts_;
  size_t agents_;
};

double escape_bound(double excess_risk, double delta);  // min(1, ER/delta), delta > 0

}  // namespace orrery::diffusion
