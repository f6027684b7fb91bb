#include "runtime/theory/mll_sgd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery::mll_sgd {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// The condition reads  constant >= linear * (eta L) + square * (eta L)^2.
struct Condition {
  double constant, linear, square;
};
Condition condition(const Rate& r, double tau, double q, double zeta) {
  return {.constant = 4 * r.p - r.p * r.p - 2,
          .linear = r.a * r.p * (r.beta + 1) - r.a * r.p * r.p + r.p * r.p,
          .square = 8 * q * q * tau * tau * gamma_constant(zeta)};
}

}  // namespace

double bracket(double z) {
  expects(z >= 0, "zeta >= 0");
  if (z >= 1) return infinite;
  return z * z / (1 - z * z) + 2 * z / (1 - z) + 1 / ((1 - z) * (1 - z));
}

double gamma_constant(double z) {
  expects(z >= 0, "zeta >= 0");
  if (z >= 1) return infinite;
  return z / (1 - z * z) + 2 / (1 - z) + z / ((1 - z) * (1 - z));
}

double hub_coefficient(double tau, double q, double zeta, double slots) {
  const double period = q * tau;
  expects(slots >= period, "at least one global round of slots");
  if (slots == period) return 0;
  return 4 * period * period * (1 - period / slots) * bracket(zeta);
}

double subnetwork_coefficient(double tau, double q, double zeta) {
  const double drift = tau * tau * (q - 1) * (2 * q + 1) / 6 + (tau - 1) * (2 * tau + 1) / 6;
  if (drift == 0) return 0;  // tau = q = 1: no local steps at all
  return zeta >= 1 ? infinite : 4 * (2 - zeta) / (1 - zeta) * drift;
}

double condition_margin(const Rate& r, double eta_L, double tau, double q, double zeta) {
  const Condition c = condition(r, tau, q, zeta);
  return c.constant - eta_L * (c.linear + c.square * eta_L);
}

double largest_eta_L(const Rate& r, double tau, double q, double zeta) {
  const Condition c = condition(r, tau, q, zeta);
  if (!(c.constant > 0) || std::isinf(c.square)) return 0;
  return 2 * c.constant /
         (c.linear +
          std::sqrt(c.linear * c.linear + 4 * c.square * c.constant));  // the stable form of the positive root
}

double largest_eta_L(const std::vector<double>& p, const std::vector<double>& a, double beta, double tau, double q,
                     double zeta) {
  expects(p.size() == a.size(), "a rate and a weight for every worker");
  double largest = infinite;
  for (size_t i = 0; i < p.size(); ++i)
    largest = std::min(largest, largest_eta_L({.p = p[i], .a = a[i], .beta = beta}, tau, q, zeta));
  return largest;
}

Verdict verdict(const std::vector<double>& p, const std::vector<double>& a, double beta, double eta_L, double tau,
                double q, double zeta) {
  expects(p.size() == a.size() && !p.empty(), "a rate and a weight for every worker");
  Verdict v;
  v.workers = static_cast<int64_t>(p.size());
  v.worst_margin = infinite;
  double slowest = infinite;
  for (size_t i = 0; i < p.size(); ++i) {
    const Rate r{.p = p[i], .a = a[i], .beta = beta};
    const double margin = condition_margin(r, eta_L, tau, q, zeta);
    v.worst_margin = std::min(v.worst_margin, margin);
    if (margin < 0) ++v.failing;
    if (!(condition(r, tau, q, zeta).constant > 0)) ++v.outside, slowest = std::min(slowest, p[i]);
  }
  v.largest_eta_L = largest_eta_L(p, a, beta, tau, q, zeta);
  v.holds = v.failing == 0 && v.outside == 0;
  if (v.outside > 0)
    v.why_not = fmt::format(
        "{} of {} workers have rates up to 2 - sqrt(2) = 0.5858 (the slowest {:g}): the condition "
        "then fails for every learning rate",
        v.outside, v.workers, slowest);
  else if (zeta >= 1)
    v.why_not = "the mixing matrix has no spectral gap (zeta = 1)";
  else if (!v.holds)
    v.why_not =
        fmt::format("eta L = {:.4g} is above {:.4g}, the largest that the condition allows ({} of {} workers fail)",
                    eta_L, v.largest_eta_L, v.failing, v.workers);
  return v;
}

Bound bound(const Setting& s) {
  expects(s.p.size() == s.a.size(), "a rate and a weight for every worker");
  expects(s.eta > 0, "a positive learning rate");
  double mean_rate = 0, noise = 0;
  for (size_t i = 0; i < s.p.size(); ++i) {
    mean_rate += s.a[i] * s.p[i];
    noise += s.a[i] * s.a[i] * s.p[i];
  }
  const double scale = s.L * s.L * s.eta * s.eta * s.sigma2 * mean_rate;
  const auto scaled = [&](double coefficient) {
    return scale == 0 ? 0.0 : scale * coefficient;
  };  // 0 * infinity: no noise, no error
  return {.initial = 2 * s.gap / (s.eta * s.slots),
          .noise = s.sigma2 * s.eta * s.L * noise,
          .hubs = scaled(hub_coefficient(s.tau, s.q, s.zeta, s.slots)),
          .subnetworks = scaled(subnetwork_coefficient(s.tau, s.q, s.zeta))};
}

}  // namespace orrery::mll_sgd
