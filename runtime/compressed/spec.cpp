#include "runtime/compressed/spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/npy.hpp"
#include "runtime/algorithm.hpp"
#include "runtime/network/network.hpp"

namespace orrery {
namespace {

using Method = CompressedSpec::Method;
using Flow = CompressedSpec::Flow;

constexpr std::pair<Flow, const char*> flows[] = {{Flow::uncompressed, "uncompressed"},
                                                  {Flow::direct, "direct"},
                                                  {Flow::observer_sigma, "observer-sigma"},
                                                  {Flow::observer_plus, "observer-plus"}};

// v(0) from a file or from rows of numbers; its sum over the workers never changes, so that it must be zero.
void read_dual_start(Params& p, CompressedSpec& s) {
  s.dual_place = p.place("dual_start");
  const bool unbalanced = p.flag("dual_start_unbalanced", false);
  if (!p.has("dual_start")) {
    if (unbalanced) p.fail("dual_start_unbalanced", "speaks of a dual start, and there is none; give dual_start");
    return;
  }
  if (p.is_text("dual_start")) {
    NpyArray a;
    try {
      a = read_npy(p.file_path("dual_start"));
    } catch (const DataError& e) {
      p.fail("dual_start", e.what());
    }
    if (a.shape.size() != 2 || a.values.empty())
      p.fail("dual_start", "the .npy file does not have the shape (workers, P); save that");
    const auto columns = static_cast<std::ptrdiff_t>(a.shape[1]);
    for (auto row = a.values.begin(); row != a.values.end(); row += columns)
      s.dual_start.emplace_back(row, row + columns);
  } else {
    s.dual_start = p.number_rows("dual_start");
  }
  std::vector<double> sum(s.dual_start[0].size()), size(sum.size());
  for (size_t i = 0; i < s.dual_start.size(); ++i) {
    if (s.dual_start[i].empty() || s.dual_start[i].size() != sum.size())
      p.fail("dual_start", fmt::format("worker {} has {} numbers, worker 0 has {}; give all the same number", i,
                                       s.dual_start[i].size(), sum.size()));
    for (size_t j = 0; j < sum.size(); ++j) {
      if (!std::isfinite(s.dual_start[i][j]))
        p.fail("dual_start", "holds numbers that are not finite; give finite ones");
      sum[j] += s.dual_start[i][j], size[j] += std::abs(s.dual_start[i][j]);
    }
  }
  for (size_t j = 0; j < sum.size() && !unbalanced; ++j)
    if (std::abs(sum[j]) > 1e-12 * size[j])
      p.fail("dual_start",
             fmt::format("the dual states of coordinate {} sum to {:g}, and a flow that starts so ends beside the "
                         "optimum; let them sum to zero, or set dual_start_unbalanced = true to see it",
                         j, sum[j]));
}

}  // namespace

const char* name(Flow flow) {
  for (const auto& [f, text] : flows)
    if (f == flow) return text;
  return "";
}

bool is_flow_kind(const std::string& kind) { return kind == "consensus-flow" || kind == "primal-dual"; }

int64_t CompressedSpec::banks() const {
  switch (method) {
    case Method::consensus_flow: return observes() ? 3 : 1;  // xh, zh, q
    case Method::primal_dual: return observes() ? 4 : 2;     // and v
    case Method::compressed_primal_dual: return 4;
    case Method::choco_gossip:
    case Method::choco_sgd: return 3;  // xh, z, q
    case Method::ef_sgd:
    case Method::ef21: return 2;  // e or g_i, q
    default: return 4;            // d, h, (I - W) h, q
  }
}

CompressedSpec read_compressed(Params& p, Method method) {
  CompressedSpec s;
  s.method = method;
  if (s.is_flow()) {
    std::vector<std::string> known;
    for (const auto& [f, text] : flows) known.push_back(text);
    const std::string flow = p.choice("flow", "observer-sigma", known);
    for (const auto& [f, text] : flows)
      if (flow == text) s.flow = f;
    s.kappa = p.number("kappa", 1.0, above(0));  // read for every flow, so that arms may share it
  }
  if (method == Method::compressed_primal_dual) s.flow = Flow::observer_plus, s.psi = p.number("psi", 1.0, above(0));
  if (s.is_flow() || s.has_dual()) s.alpha = p.number("alpha", 1.0, at_least(0));
  if (s.is_flow() || s.has_dual()) s.unit_laplacian = p.choice("laplacian", "unit", {"unit", "mixing"}) == "unit";
  if (s.has_dual()) {
    s.beta = p.number("beta", 1.0, at_least(0));
    read_dual_start(p, s);
  }
  if (method == Method::primal_dual) s.eta = p.number("eta", 1.0, at_least(0));
  if (!s.is_flow() && !s.has_dual()) {
    s.unit_laplacian = false;
    if (!s.star()) s.gamma = p.number("gamma", 1.0, above(0));
  }
  if (method == Method::lead || method == Method::prox_lead || method == Method::cedas)
    s.a = p.number("a", 0.5, {.min = 0, .max = 1, .min_open = true});
  if (method == Method::prox_lead) s.l1 = p.number("l1", std::nullopt, at_least(0));
  s.send_bytes = p.flag("send_bytes", false);
#ifdef NDEBUG
  s.check_invariants = p.flag("check_invariants", false);
#else
  s.check_invariants = p.flag("check_invariants", true);
#endif
  return s;
}

void check_compressed(const Params& p, const std::string& kind, const NetworkSpec& n, const StepSpec& step,
                      const CompressedSpec& spec) {
  const auto refuse = [&](const std::string& key, const std::string& what) {
    throw ExperimentError(fmt::format("{}: {}", p.place(key), what));
  };
  if (!n.tiers.empty())
    refuse("network.tiers",
           fmt::format("{} joins workers by {}; remove the tiers", kind, spec.star() ? "one server" : "a graph alone"));
  if (spec.star() && n.graph)
    refuse("network.graph", fmt::format("{} has a server and nothing to mix; remove the graph", kind));
  if (!spec.star()) {
    if (!n.graph) refuse("network", fmt::format("{} sends along a graph; give [network.graph]", kind));
    if (n.graph->period != 1) refuse("network.graph.period", fmt::format("{} sends in every step; set it to 1", kind));
    if (n.graph->kind == "one-peer-exponential" || n.graph->directed)
      refuse("network.graph", fmt::format("{} keeps sums of what neighbours sent, for which links must be there in "
                                          "every step and both ways; choose another graph",
                                          kind));
    if (n.weights != NetworkSpec::Weights::equal)
      refuse("network.weights", fmt::format("{} gives all workers the same weight; remove them", kind));
  }
  if (n.clock.waiting) refuse("network.clock", fmt::format("{} has no periods to wait for; remove the clock", kind));
  for (const double rate : n.rates)
    if (rate < 1)
      refuse("network.rates", fmt::format("{} hears every worker in every step; leave the rates at 1", kind));
  for (const int32_t k : step.repeats)
    if (k != 1) refuse("algorithm.batches_per_slot", fmt::format("{} takes one batch in a step; set it to 1", kind));
  if (step.momentum > 0) refuse("algorithm.momentum", fmt::format("{} has no momentum; leave it out", kind));
  if (step.rung == StepSpec::Rung::gradients)
    refuse("algorithm.step", fmt::format("{} has one way to step; leave it out", kind));
  const bool divides = spec.method == Method::lead || spec.method == Method::prox_lead;
  if (divides && !(step.learning_rate > 0))
    refuse("algorithm.learning_rate", fmt::format("{} divides by it; give a rate above 0", kind));
  if (!spec.dual_start.empty() && static_cast<int64_t>(spec.dual_start.size()) != n.workers)
    refuse("algorithm.dual_start", fmt::format("has rows for {} workers and there are {}; give a row for each",
                                               spec.dual_start.size(), n.workers));
}

void check_dual_start(const CompressedSpec& s, int64_t workers, int64_t parameters) {
  if (s.dual_start.empty()) return;
  const auto columns = static_cast<int64_t>(s.dual_start[0].size());
  if (columns != 1 && columns != parameters)
    throw ExperimentError(fmt::format("{}: has {} numbers for each of {} workers; give {}, or one for all coordinates",
                                      s.dual_place, columns, workers, parameters));
}

}  // namespace orrery
