// Exact first and second moments of tiered SGD where gradients are linear in the model (papers/mll-sgd.md 4.4, papers/h-sgd.md H11 - H13).
// One coordinate of N models x_i with gradients g_i = h_i x_i + mu_i plus noise of variance sigma2_i, taken in a slot with probability p_i,
// all independent. m = mean, C = covariance:
//
//   a slot      m_i <- (1 - eta p_i h_i) m_i - eta p_i mu_i
//               C_ik <- (1 - eta p_i h_i)(1 - eta p_k h_k) C_ik                                                        i != k
//               C_ii <- E (1 - eta theta_i h_i)^2 C_ii + eta^2 [p_i sigma2_i + p_i (1 - p_i) (h_i m_i + mu_i)^2]       m before the slot
//   an average  m <- m T,  C <- T^T C T        T = V of a tier, Z of the graph (columns: where a worker's new model comes from)
//
// with E (1 - eta theta h)^2 = 1 - 2 eta p h + p (eta h)^2. h = 0 gives the recursion of the digest.
//
//   linear_dispersion   the periodic regime of h = 0, mu = 0, sigma2 = 1, eta = 1: time average over a round, by tiers; what a coordinate's
//                       dispersion is in units of eta^2 sigma^2. Below the top nodes in closed form, sum_l (P_l - 1)/2 sum_i a_i^2 p_i
//                       (1/m_l(i) - 1/m_{l-1}(i)); above them a tree in closed form too, a graph by its D x D recursion.
//
// Host only, float64. Cost: N^2 numbers, O(N^2) operations a slot or average; the graph O(D^3) per mixing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery {

struct LinearSlot {
  double eta = 0;
  std::vector<double> h, mu, sigma2, p;  // (N)
};

class Moments {
 public:
  explicit Moments(const std::vector<double>& start) : n_(start.size()), m_(start), c_(n_ * n_) {}

  void slot(const LinearSlot&);
  void average(const Groups&);
  void mix(const Groups& top, const Mixing&);
  void act(const Network&, const Action&);  // whichever of the two

  const std::vector<double>& mean() const { return m_; }
  double covariance(size_t i, size_t k) const { return c_[i * n_ + k]; }
  double mean_of(const std::vector<double>& a) const;      // E sum_i a_i x_i
  double variance_of(const std::vector<double>& a) const;  // of sum_i a_i x_i
  double dispersion(const std::vector<double>& a) const;   // E sum_i a_i (x_i - u)^2, u = sum_i a_i x_i, sum_i a_i = 1
  // The same split as the metrics dispersion_<tier>: tiers from the workers upward, then the top nodes around u where there are several.
  std::vector<double> split(const Network&) const;

 private:
  std::vector<double> node_squares(const Groups&) const;  // E (mean of node)^2
  size_t n_;
  std::vector<double> m_, c_;
};

// As in Moments::split, sum = cycle-averaged dispersion. Empty with `why_not` where no regime is periodic: top nodes that never mix.
struct LinearDispersion {
  std::vector<double> part;  // (tiers), and one more where there are several top nodes
  std::string why_not;
  double total() const;
};
LinearDispersion linear_dispersion(const Network&);

}  // namespace orrery
