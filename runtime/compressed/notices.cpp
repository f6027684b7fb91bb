#include "runtime/compressed/notices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/compressed/laplacian.hpp"
#include "runtime/network/spectrum.hpp"

namespace orrery {
namespace {

using Flow = CompressedSpec::Flow;

constexpr int64_t most_workers = 512, most_of_quadratics = 64;  // of a spectrum worth waiting for
constexpr double most_operations = 2.5e6;                       // columns (2 W)^3

// eigenvalues of a dense matrix
std::vector<std::complex<double>> eigenvalues(const std::vector<std::vector<double>>& dense) {
  Mixing m;
  m.begin.push_back(0);
  for (const auto& row : dense) {
    for (size_t j = 0; j < row.size(); ++j) m.source.push_back(static_cast<int64_t>(j)), m.weight.push_back(row[j]);
    m.begin.push_back(static_cast<int64_t>(m.source.size()));
  }
  return spectrum(m, std::vector<double>(dense.size(), 1.0)).values;
}

std::optional<double> largest_eigenvalue(const CompressedSpec& s, const Network& network) {
  if (network.spec().workers > most_workers || network.spec().workers < 2) return std::nullopt;
  double largest = 0;
  for (const auto mu : eigenvalues(laplacian_of(network, s.unit_laplacian).dense()))
    largest = std::max(largest, mu.real());
  return largest;
}

}  // namespace

bool euler_limit_is_exact(const CompressedSpec& s, int64_t workers, const std::optional<QuadraticRisk>& risk) {
  if (!s.takes_gradients()) return true;
  if (!risk || workers > most_of_quadratics) return false;
  const double columns = static_cast<double>(risk->same_columns ? 1 : risk->dimension);
  return columns * std::pow(2.0 * static_cast<double>(workers), 3) <= most_operations;
}

std::optional<double> euler_limit(const CompressedSpec& s, const Network& network,
                                  const std::optional<QuadraticRisk>& risk) {
  if (!s.is_flow() && !s.has_dual()) return std::nullopt;
  const auto n = static_cast<size_t>(network.spec().workers);
  const double columns = risk ? static_cast<double>(risk->same_columns ? 1 : risk->dimension) : 0;
  if (!s.takes_gradients() || !euler_limit_is_exact(s, network.spec().workers, risk)) {
    const auto largest = largest_eigenvalue(s, network);
    if (!largest || !(s.alpha * *largest > 0)) return std::nullopt;
    return 2 / (s.alpha * *largest);
  }
  // [x; v]' = [[-alpha L - eta H, -beta I], [beta L, 0]] [x; v]
  const auto l = laplacian_of(network, s.unit_laplacian).dense();
  std::optional<double> limit;
  for (int64_t j = 0; j < static_cast<int64_t>(columns); ++j) {
    std::vector<std::vector<double>> m(2 * n, std::vector<double>(2 * n));
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < n; ++k) m[i][k] = -s.alpha * l[i][k], m[n + i][k] = s.beta * l[i][k];
      m[i][i] -= s.eta * risk->curvature(static_cast<int64_t>(i), j);
      m[i][n + i] = -s.beta;
    }
    auto mu = eigenvalues(m);
    std::iter_swap(mu.begin(),
                   std::min_element(mu.begin(), mu.end(), [](auto x, auto y) { return std::abs(x) < std::abs(y); }));
    for (size_t i = 1; i < mu.size(); ++i) {
      if (std::abs(mu[i]) < 1e-12) continue;
      const double of_this = -2 * mu[i].real() / std::norm(mu[i]);
      limit = limit ? std::min(*limit, of_this) : of_this;
    }
  }
  return limit;
}

std::vector<std::string> compressed_notices(const Arm& arm, const Network& network, const BankShape& shape) {
  const CompressedSpec& s = *arm.algorithm->compressed();
  std::vector<std::string> all;
  const auto say = [&](const std::string& sentence) {
    all.push_back((arm.name.empty() ? "" : fmt::format("arm \"{}\": ", arm.name)) + sentence);
  };
  const double step = arm.step.learning_rate;
  if (const auto limit = euler_limit(s, network, arm.model->quadratic_risk()); limit && step >= *limit)
    say(
        fmt::format("the step {:.6g} is not below {:.6g}, from where on Euler steps of this flow grow even without "
                    "compression; lower it, or the gains",
                    step, *limit));
  if (!s.compresses()) return all;

  const CompressorClass c = arm.compressor->traits(shape);
  const std::string kind = arm.compressor->kind();
  if (s.flow == Flow::direct && s.is_flow() && !c.strong)
    say(fmt::format(
        "a direct flow compresses states that do not vanish, and \"{}\" is not a strong ST compressor ({}): "
        "nodes stall apart; choose flow = \"observer-sigma\" or \"observer-plus\"",
        kind, c.reason));
  else if (!c.spatio_temporal)
    say(fmt::format("\"{}\" is no ST compressor ({}): errors stay at a floor; choose another", kind, c.reason));
  if (!c.linear) return all;

  // linear maps act on the error, or on the states through L, as Euler steps of their own
  const bool observes = s.observes() && (s.is_flow() || s.has_dual());
  const double gain = s.is_flow() ? step * s.kappa : s.psi;
  if (observes && gain * c.bound > 2)
    say(fmt::format("the observer's step {:.6g} times |psi|^2 = {:.6g} is above 2, and its error grows; lower {}", gain,
                    c.bound, s.is_flow() ? "kappa or the step" : "psi"));
  const auto largest = s.is_flow() || s.has_dual() ? largest_eigenvalue(s, network) : std::nullopt;
  if (!largest) return all;
  const double consensus = step * s.alpha * *largest;
  if (s.flow == Flow::direct && s.is_flow() && consensus * c.bound > 2)
    say(fmt::format(
        "the step times alpha, the largest eigenvalue of the Laplacian {:.6g} and |psi|^2 = {:.6g} is {:.6g}, "
        "above 2: disagreement grows; lower the step or alpha",
        *largest, c.bound, consensus * c.bound));
  if (observes && c.time_varying && c.rate && gain > 0.5 && consensus / *c.rate >= 2)
    say(
        fmt::format("an observer's step of {:.6g} holds what \"{}\" sends for about {:.6g} steps, and the step times "
                    "alpha, lambda_n = {:.6g} and that delay is {:.6g}, of order 2 or more: it may grow; lower {}",
                    gain, kind, 1 / *c.rate, *largest, consensus / *c.rate, s.is_flow() ? "kappa" : "psi"));
  return all;
}

}  // namespace orrery
