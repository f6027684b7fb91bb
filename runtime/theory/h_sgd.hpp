// What the analysis of hierarchical SGD says about a tree of averages (H-SGD: Wang et al., AAAI 2022). The bound is the one proved in
// papers/h-sgd.md 5.1, with explicit constants; the paper's own constants are not used. Host only, float64.
//
// Levels   0 = the root, 1 ... M; level M = the workers. n_l nodes at level l (n_0 = 1, n_M = W); P_l = period with which the nodes of level
//          l-1 average their children of level l; P_1 >= ... >= P_M. In vectors over levels 1 ... M, entry l-1 belongs to level l.
// Shares   s_l = sum_i a_i^2 (1/m_l(i) - 1/m_{l-1}(i)), m_l(i) = weight below the node of level l that worker i is in (a_i at level M).
//          Equal weights: s_l = (n_l - n_{l-1})/n, whatever the sizes of the groups. sum_l s_l = 1 - sum_i a_i^2.
//
// Groups of level M - 1 may have periods I_i of their own (P_M = the longest), s_M = sum_i s_{M,i}, m_i = weight of group i:
//          P_M s_M becomes sum_i I_i s_{M,i} in A_1, P_M^2 (n_M - n_{M-1}) becomes sum_i I_i^2 (n_i - 1) in A_2, and in the bound
//
//   S_M = sum_i [gamma^2 (I_i - 1) s_{M,i} sigma^2 + (2/3) gamma^2 (I_i - 1)(2 I_i - 1) m_i eps_i^2] / (1 - 2 (gamma L)^2 I_i (I_i - 1))
//
//          where eps_i^2 are not known one by one, their sum eps_M^2 = sum_i m_i eps_i^2 is counted in the group that averages least often.
//
//   A_1 = sum_l P_l s_l                                multiplies sigma^2;    (sum_l s_l) P_M <= A_1 <= (sum_l s_l) P_1
//   A_2 = sum_l P_l^2 (n_l - n_{l-1})/(n - 1)          multiplies the global divergence under random grouping;  P_M^2 <= A_2 <= P_1^2
//   E eps_l^2 / (global divergence) = (n_l - n_{l-1})/(n - 1)      random grouping, equal weights, groups of any sizes (papers/h-sgd.md 4.3)
//
// Bound    c_l = 3 (gamma L)^2 P_l (P_l - 1), with 2 in place of 3 at level M; S_{M+1} = 0;
//
//   S_M = [gamma^2 (P_M - 1) s_M sigma^2 + (2/3) gamma^2 (P_M - 1)(2 P_M - 1) eps_M^2            ] / (1 - c_M)
//   S_l = [gamma^2 (P_l - 1) s_l sigma^2 +       gamma^2 (P_l - 1)(2 P_l - 1) eps_l^2 + S_{l+1}  ] / (1 - c_l)
//
//   (1/T) sum_{t<T} E sum_i a_i |w_i - u|^2 <= S_1
//   (1/T) sum_{t<T} E |grad f(u)|^2         <= 2 (f(u_0) - f*)/(gamma T) + gamma L sigma^2 sum_i a_i^2 + L^2 S_1
//
//          for L-smooth F_i, unbiased independent gradients of variance <= sigma^2, eps_l^2 >= divergence of level l at the visited means,
//          gamma L <= 1 and all c_l < 1; the latter follow from 2 sqrt(6) P_1 L gamma <= 1. T need not be a multiple of P_1: the sums over a
//          period that is cut short are only smaller. Unequal weights: every step of the proof holds with a_i in place of 1/n.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/network/network.hpp"

namespace orrery::h_sgd {

struct OwnPeriod {  // of a group of level M - 1
  int64_t workers = 1, period = 1;
  double mass = 1, share = 0;  // m_i, s_{M,i}
};
struct Tree {
  std::vector<std::string> name;  // (M) what averages the nodes of level l: a tier's name, or "graph"
  std::vector<int64_t> nodes;     // (M + 1) n_0 ... n_M
  std::vector<int64_t> period;    // (M) P_1 ... P_M
  std::vector<double> share;      // (M) s_l
  double square_weights = 1;      // sum_i a_i^2
  bool equal_weights = true;
  std::vector<OwnPeriod> own = {};  // empty: all groups average every P_M

  size_t levels() const { return period.size(); }
};

// A tree by its numbers, equal weights. Expects n_0 = 1, n_l ascending, P_l descending.
Tree tree(const std::vector<int64_t>& nodes, const std::vector<int64_t>& period);

// The tree of a network; `why_not` where it is none: several top nodes without a graph, or a graph that does not average exactly.
struct TreeOf {
  Tree tree;
  std::string why_not;  // "" where there is a tree
};
TreeOf tree_of(const Network&);

double a1(const Tree&);
double a2(const Tree&);  // expects two workers at least
struct Interval {
  double low = 0, high = 0;
};
Interval sandwich_a1(const Tree&);
Interval sandwich_a2(const Tree&);
double noise_period(const Tree&);          // A_1 / sum_l s_l: local SGD with this period has the same A_1
double heterogeneity_period(const Tree&);  // sqrt(A_2)
std::vector<double> random_grouping(
    const Tree&);  // (M) E eps_l^2 as a part of the global divergence; expects two workers at least

struct Setting {
  double gamma = 0, L = 0, sigma2 = 0;
  double gap = 0;                  // f(u_0) - f*
  double steps = 1;                // T; infinite: the error floor
  std::vector<double> divergence;  // (M) eps_l^2
  std::vector<double> group_divergence =
      {};  // (Tree::own) eps_i^2 where they are known one by one; empty: only their mean is
};
struct Condition {
  double gamma_L = 0;     // must be <= 1
  std::vector<double> c;  // (M) must all be < 1
  double sufficient = 0;  // 2 sqrt(6) P_1 L gamma: <= 1 makes every c_l < 1/8
  bool holds = false;
};
Condition condition(const Tree&, double gamma, double L);

struct Bound {
  double initial = 0, noise = 0;                 // first two terms
  std::vector<double> local_noise, local_drift;  // (M) what sigma^2 and eps_l^2 of level l add to S_1
  double dispersion() const;                     // S_1
  double L2 = 0;                                 // L^2
  double total() const { return initial + noise + L2 * dispersion(); }
};
// Infinite where a c_l >= 1. Expects gamma > 0 and a divergence per level.
Bound bound(const Tree&, const Setting&);

}  // namespace orrery::h_sgd
