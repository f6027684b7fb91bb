#include "runtime/theory/diffusion_estimates.hpp"

#include <fmt/format.h>

#include <limits>

#include "runtime/network/network_error.hpp"
#include "runtime/theory/diffusion/stability.hpp"
#include "runtime/theory/theory.hpp"

namespace orrery {
namespace {

constexpr int64_t most_nodes = 1024;  // of a dense eigenvalue problem

}  // namespace

std::optional<DiffusionEstimates> diffusion_estimates(const Experiment& e, size_t index, const RunResult& r,
                                                      const std::string& not_plain) {
  if (!r.arms[index].estimates.local) return std::nullopt;
  const Arm& arm = e.arms[index];
  const Network& network = *r.arms[index].network;
  DiffusionEstimates t;
  t.constants = *r.arms[index].estimates.local;
  const double mu = arm.step.learning_rate;
  const double B = arm.step.batch[0] > 0 ? static_cast<double>(arm.step.batch[0])
                                         : std::numeric_limits<double>::infinity();  // whole gradients: no noise
  const diffusion::Strategy strategy = *arm.algorithm->strategy();
  t.no_common = t.no_apart = not_plain;
  t.horizon = mu * t.constants.top_H * static_cast<double>(e.steps);
  if (arm.step.shuffle) t.sampling = "; for draws with replacement, passes without it are less noisy";
  if (!not_plain.empty()) return t;
  t.early_slope = diffusion::early_slope(t.constants, mu, B);
  t.late = diffusion::late_common(t.constants, mu, B);

  // what the graph adds; the centralized strategy has none
  if (strategy == diffusion::Strategy::centralized) {
    t.apart = diffusion::Disagreement{.large_batch = std::numeric_limits<double>::infinity()};
    t.step_limit = 2 / t.constants.top_H;
  } else if (network.mixing().size() != 1) {
    t.no_apart = "the graph changes over time and the modes are of one matrix";
  } else if (network.spec().workers > most_nodes) {
    t.no_apart = fmt::format("modes are not computed for more than {} nodes", most_nodes);
    if (strategy != diffusion::Strategy::consensus)  // whose limit alone takes the spectrum
      t.step_limit = diffusion::curvature_limit(strategy, network.mixing()[0]) / t.constants.top_H;
  } else {
    t.step_limit = diffusion::curvature_limit(strategy, network.mixing()[0]) / t.constants.top_H;
    t.warning = diffusion::step_warning(t.constants, strategy, network.mixing()[0], mu);
    if (!t.constants.no_inner.empty()) {
      t.no_apart = t.constants.no_inner;
    } else {
      try {
        const diffusion::GraphModes modes = diffusion::graph_modes(network.mixing()[0]);
        t.apart = diffusion::disagreement(t.constants, strategy, modes, mu, B);
        t.ratio = mu * t.constants.top_H / (1 - modes.second());
      } catch (const NetworkError& error) {
        t.no_apart = error.sentence;
      } catch (const std::logic_error&) {
        t.no_apart = "an eigenvalue of the mixing matrix is -1: that mode never settles; make the mixing lazy";
      }
    }
  }
  if (strategy == diffusion::Strategy::centralized && t.constants.top_H > 0 && mu >= *t.step_limit)
    t.warning = fmt::format(
        "the step size {:.6g} is not below {:.6g}, the stability limit of centralized at the start (2 over the largest "
        "eigenvalue {:.6g} of the Hessian): the error may grow until the curvature falls; lower the step size",
        mu, *t.step_limit, t.constants.top_H);
  if (const auto risk = arm.model->quadratic_risk();
      risk && t.step_limit && strategy != diffusion::Strategy::centralized) {
    for (int64_t k = 0; k < t.constants.agents && !risk->same_workers; ++k)
      for (int64_t j = 0; j < risk->dimension; ++j)
        if (risk->curvature(k, j) > t.constants.top_H * (1 + 1e-12))
          t.worst_curvature = std::max(t.worst_curvature, risk->curvature(k, j));
    if (t.worst_curvature > 0) t.step_limit = *t.step_limit * t.constants.top_H / t.worst_curvature;
  }
  if (t.step_limit && !(t.constants.top_H > 0)) t.step_limit = std::numeric_limits<double>::infinity();
  return t;
}

void append_rows(const DiffusionEstimates& t, TheoryTable& table) {
  const diffusion::LocalConstants& c = t.constants;
  const auto row = [&](const char* quantity, std::optional<double> value, const std::string& note) {
    table.rows.push_back({quantity, value, {}, note});
  };
  const auto deviation = [](double error) {
    return error > 0 ? fmt::format(", standard error {:.3g}", error) : std::string();
  };
  const std::string hessian = "estimate at the start, Hessian of " + c.hessian_of;
  row("Tr(H)", c.trace_H, hessian + deviation(c.trace_H_error));
  row("lambda_max(H)", c.top_H,
      hessian +
          (c.top_H_residual > 1e-3 ? fmt::format(", a lower estimate (residual {:.2g} of it)", c.top_H_residual) : ""));
  row("Tr(R)", c.trace_R, "estimate at the start: " + c.noise_of);
  row("Tr(H R)", c.trace_HR,
      "estimate at the start: " + c.noise_of + (c.sums_of.empty() ? "" : ", " + c.sums_of) +
          deviation(c.trace_HR_error));
  row("zeta^2", c.heterogeneity, "mean of |grad J_k|^2 at the start, all data");
  row("|grad J|^2", c.gradient_sq, "at the start, all data; the lines below are for a minimizer, where it is 0");
  row("e(n)/n, early", t.early_slope,
      t.no_common.empty() ? "leading order: mu^2/(2KB) Tr(H R)" + t.sampling : t.no_common);
  row("e(n), late", t.late,
      t.no_common.empty()
          ? fmt::format(
                "leading order: mu/(4KB) Tr(R), once mu lambda n is large for every eigenvalue lambda > 0 of H (mu "
                "lambda_max n = {:.3g} at the end){}",
                t.horizon, t.sampling)
          : t.no_common);
  const auto apart = [&](double diffusion::Disagreement::*part) {
    return t.apart ? std::optional((*t.apart).*part) : std::nullopt;
  };
  const std::string reach =
      t.ratio
          ? fmt::format("; too large where mu lambda_max(H) / (1 - lambda_2) = {:.3g} is not much below 1", *t.ratio)
          : "";
  row("D", apart(&diffusion::Disagreement::heterogeneity),
      t.no_apart.empty() ? "leading order: what heterogeneity adds to the excess risk" + reach : t.no_apart);
  row("V", apart(&diffusion::Disagreement::noise),
      t.no_apart.empty() ? "leading order: what noise adds beside e(n)" + reach + t.sampling : t.no_apart);
  row("B*", apart(&diffusion::Disagreement::large_batch),
      t.no_apart.empty() ? "above this batch heterogeneity outweighs noise" : t.no_apart);
  row("largest stable step", t.step_limit,
      !t.step_limit ? (t.no_common.empty() ? t.no_apart : t.no_common)
      : t.worst_curvature > 0
          ? fmt::format("suffices for the largest curvature of any worker, {:.6g}", t.worst_curvature)
          : "for the Hessian at the start; exact where all workers have this one");
}

Json json_of(const DiffusionEstimates& t) {
  const diffusion::LocalConstants& c = t.constants;
  Json j = {{"trace_H", number(c.trace_H)},
            {"trace_H_error", number(c.trace_H_error)},
            {"lambda_max_H", number(c.top_H)},
            {"trace_R", number(c.trace_R)},
            {"trace_HR", number(c.trace_HR)},
            {"trace_HR_error", number(c.trace_HR_error)},
            {"zeta_sq", number(c.heterogeneity)},
            {"gradient_sq", number(c.gradient_sq)},
            {"hessian_of", c.hessian_of},
            {"noise_of", c.noise_of + (c.sums_of.empty() ? "" : ", " + c.sums_of)},
            {"early_slope", number(t.early_slope)},
            {"late", number(t.late)},
            {"D", nullptr},
            {"V", nullptr},
            {"B_star", nullptr},
            {"ratio", number(t.ratio)},
            {"step_limit", number(t.step_limit)}};
  if (t.apart) {
    j["D"] = number(t.apart->heterogeneity);
    j["V"] = number(t.apart->noise);
    j["B_star"] = number(t.apart->large_batch);
  }
  if (!t.no_common.empty()) j["reason"] = t.no_common;
  if (t.no_common.empty() && !t.no_apart.empty()) j["reason"] = t.no_apart;
  return j;
}

}  // namespace orrery
