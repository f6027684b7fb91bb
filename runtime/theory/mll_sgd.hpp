// Theorem 1 of multi-level local SGD (Castiglia, Das, Patterson, ICLR 2021), as transcribed in papers/mll-sgd.md 4.1
// and 4.2. N workers in sub-networks that average every tau slots; hubs mix by H every q tau slots; zeta = mixing
// constant of H.
//
//   E (1/K) sum_k |grad F(u_k)|^2  <=  2 (F(x_1) - F_inf) / (eta K)                               initial
//     + sigma^2 eta L sum_i a_i^2 p_i                                                             noise
//     + 4 L^2 eta^2 sigma^2 q^3 tau^3 (1/(q tau) - 1/K) bracket(zeta) P                           hubs
//     + 4 L^2 eta^2 sigma^2 (2-zeta)/(1-zeta) (tau^2 (q-1)(2q+1)/6 + (tau-1)(2 tau+1)/6) P        subnetworks
//
// with P = sum_i a_i p_i, for IID data, equal starts and, for every worker i,
//
//   4 p_i - p_i^2 - 2  >=  eta L (a_i p_i (beta+1) - a_i p_i^2 + p_i^2) + 8 L^2 eta^2 q^2 tau^2 Gamma(zeta).
//
// The left side is positive only for p_i > 2 - sqrt(2) = 0.5858: slower workers are outside the theorem for any eta.
// zeta lies in [0, 1]; at 1 everything that divides by 1 - zeta is infinite.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace orrery::mll_sgd {

double bracket(double zeta);         // zeta^2/(1-zeta^2) + 2 zeta/(1-zeta) + 1/(1-zeta)^2
double gamma_constant(double zeta);  // Gamma = zeta/(1-zeta^2) + 2/(1-zeta) + zeta/(1-zeta)^2

// Factors of L^2 eta^2 sigma^2 P in the third and fourth term. slots = K >= q tau; infinite by default.
double hub_coefficient(double tau, double q, double zeta, double slots = std::numeric_limits<double>::infinity());
double subnetwork_coefficient(double tau, double q, double zeta);

// The learning-rate condition of one worker: left side minus right side; it holds where this is >= 0.
struct Rate {
  double p = 1;     // operating rate
  double a = 1;     // worker weight, sum 1 over all workers
  double beta = 0;  // gradient variance <= beta |grad F|^2 + sigma^2
};
double condition_margin(const Rate&, double eta_L, double tau, double q, double zeta);

// The largest eta L that fulfils the condition: the root of a quadratic; 0 where no positive one does.
double largest_eta_L(const Rate&, double tau, double q, double zeta);
double largest_eta_L(const std::vector<double>& p, const std::vector<double>& a, double beta, double tau, double q,
                     double zeta);  // all workers

// The condition of all workers at one learning rate.
struct Verdict {
  bool holds = false;
  int64_t workers = 0, failing = 0;
  int64_t outside = 0;       // of the failing: p_i <= 2 - sqrt(2), no learning rate helps
  double worst_margin = 0;   // smallest left side minus right side
  double largest_eta_L = 0;  // over all workers; 0 where one is outside
  std::string why_not;       // one sentence; "" where it holds
};
Verdict verdict(const std::vector<double>& p, const std::vector<double>& a, double beta, double eta_L, double tau,
                double q, double zeta);

struct Setting {
  double eta = 0, L = 0, sigma2 = 0;
  double gap = 0;  // F(x_1) - F_inf
  double tau = 1, q = 1, zeta = 0;
  double slots = 1;          // K; infinite: the error floor
  std::vector<double> p, a;  // (N) operating rates and weights
};
struct Bound {
  double initial = 0, noise = 0, hubs = 0, subnetworks = 0;
  double total() const { return initial + noise + hubs + subnetworks; }
};
// The right side of the theorem; whether the condition holds is the caller's to check. Expects K >= q tau, eta > 0 and
// p, a equally long.
Bound bound(const Setting&);

}  // namespace orrery::mll_sgd
