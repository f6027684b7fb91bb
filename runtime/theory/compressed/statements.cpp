// Which statements of papers/st-compression.md (5, A) cover an arm, and why the others do not: one sentence each.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/compressed/compressed.hpp"
#include "runtime/compressed/notices.hpp"
#include "runtime/theory/compressed/compressed_theory.hpp"
#include "runtime/theory/compressed/problem.hpp"

namespace orrery {

namespace ct = compressed_theory;

namespace {

using Flow = CompressedSpec::Flow;
using Method = CompressedSpec::Method;
using Verdict = CompressedStatement::Verdict;

struct Case {
  const CompressedSpec& s;
  const CompressedTheory& t;
  const ct::Problem& p;
  std::string not_convex;
  bool euler_exact = true, even_weights = true;
  std::vector<CompressedStatement> all = {};

  const CompressorClass& c() const { return t.traits; }
  std::string kind() const { return fmt::format("\"{}\"", t.compressor); }
  void say(const std::string& name, Verdict v, const std::string& sentence) { all.push_back({v, name, sentence}); }
  void covers(const std::string& name, const std::string& sentence) { say(name, Verdict::covers, sentence); }
  void not_covered(const std::string& name, const std::string& sentence) { say(name, Verdict::not_covered, sentence); }
  void open(const std::string& name, const std::string& sentence) { say(name, Verdict::open, sentence); }
  // the first reason that is not empty; "" where all are
  static std::string first(std::initializer_list<std::string> reasons) {
    for (const auto& r : reasons)
      if (!r.empty()) return r;
    return "";
  }
  std::string no_graph() const { return t.graph ? "" : t.why_no_graph; }
  std::string noise() const { return p.noisy ? "gradients are noisy and the statement is for exact ones" : ""; }
  std::string not_contractive() const {
    if (c().delta) return "";
    return c().omega ? fmt::format("{} is unbiased, not contractive; divided by 1 + omega = {:.6g} it would be", kind(),
                                   1 + *c().omega)
                     : fmt::format("{} is not known to be contractive", kind());
  }
};

void consensus_direct(Case& k) {
  const char* first = "theorem 1, direct consensus with a monotone compressor";
  const std::string why = k.first(
      {k.no_graph(), k.c().monotone ? "" : "no m with (x - y)(C(x) - C(y)) >= m |x - y|^2 is known of " + k.kind()});
  if (!why.empty()) {
    k.not_covered(first, why);
  } else {
    const double load = k.t.time_step * k.s.alpha * k.t.graph->lambda_n * k.c().bound;
    const std::string numbers =
        fmt::format("m = {:.6g}, and the step times alpha lambda_n L_c is {:.6g}, ", *k.c().monotone, load);
    load < 2 ? k.covers(first, numbers + "below 2") : k.not_covered(first, numbers + "not below 2");
  }
  const char* second = "theorem 2, direct consensus with a linear compressor";
  if (!k.c().linear)
    k.not_covered(second, k.kind() + " is not linear");
  else if (!k.c().spatio_temporal)
    k.not_covered(second, "the directions are not persistently exciting: " + k.c().reason);
  else
    k.covers(second, "C = P(t) x with the same persistently exciting P for all nodes; modes of the graph decouple");
}

void stalls(Case& k) {
  if (k.c().strong) return;
  k.covers("theorem 3, direct messages that are not strong ST",
           fmt::format("no convergence is promised, and nodes stall where messages agree and states differ: {}",
                       k.c().reason));
}

void consensus_observer(Case& k) {
  const char* name = "theorem 4, observer consensus";
  std::string why = k.no_graph();
  if (why.empty() && !k.c().spatio_temporal) why = k.kind() + " is no ST compressor: " + k.c().reason;
  if (why.empty() && (k.c().time_varying || k.c().random))
    why =
        "the gain bound needs constants of a Lyapunov function, known for compressors that do not change over time; "
        "the decay below says how this one does";
  if (why.empty() && !k.t.alpha_max) why = "no m with x C(x) >= m |x|^2 is known of " + k.kind();
  if (why.empty() && k.s.alpha >= *k.t.alpha_max)
    why = fmt::format("alpha = {:.6g} is not below {:.6g}, which is one to two orders of magnitude on the safe side",
                      k.s.alpha, *k.t.alpha_max);
  if (!why.empty()) return k.not_covered(name, why);
  k.covers(name, fmt::format("alpha = {:.6g} is below lambda_2 kappa m / (lambda_n (lambda_n + lambda_2)) = {:.6g}",
                             k.s.alpha, *k.t.alpha_max));
}

void euler(Case& k) {
  const char* name = k.euler_exact ? "Euler steps without compression" : "Euler steps of consensus alone";
  if (!k.t.euler_limit) return k.open(name, "no bound of the step is known for this graph and model");
  const std::string numbers = fmt::format("the step {:.6g} is {} {:.6g}", k.t.time_step,
                                          k.t.time_step < *k.t.euler_limit ? "below" : "not below", *k.t.euler_limit);
  k.t.time_step < *k.t.euler_limit ? k.covers(name, numbers) : k.not_covered(name, numbers + ": the flow grows");
}

// What Euler steps add where the compressor is linear: psi psi^T of length |psi|^2 = L_c in the place of the identity.
void linear_steps(Case& k) {
  if (!k.s.compresses() || !k.c().linear) return;
  const bool discrete = k.s.method == Method::compressed_primal_dual;
  if (k.s.observes()) {
    const char* name = "Euler steps of the observer";
    const double load = k.t.memory_step * k.c().bound;
    const std::string numbers =
        fmt::format("{} times |P| = {:.6g} is {:.6g}, ", discrete ? "psi" : "the step times kappa", k.c().bound, load);
    return load <= 2 ? k.covers(name, numbers + "at most 2: its error does not grow")
                     : k.not_covered(name, numbers + "above 2: its error grows");
  }
  if (!k.t.graph) return;
  const char* name = "Euler steps through the compressor";
  const double load = k.t.time_step * k.s.alpha * k.t.graph->lambda_n * k.c().bound;
  const std::string numbers = fmt::format("the step times alpha lambda_n |P| is {:.6g}, ", load);
  load < 2 ? k.covers(name, numbers + "below 2: disagreement does not grow")
           : k.not_covered(name, numbers + "not below 2: disagreement grows");
}

void primal_dual(Case& k) {
  const std::string convex =
      k.first({k.not_convex, k.noise(), k.s.beta > 0 && k.s.alpha > 0 && k.s.eta > 0 ? "" : "a gain is zero"});
  if (k.s.flow == Flow::uncompressed) {
    const char* name = "theorem 5, uncompressed primal-dual flow";
    return convex.empty() ? k.covers(name, "f is strongly convex and all gains are positive")
                          : k.not_covered(name, convex);
  }
  if (k.s.flow == Flow::direct) {
    const char* name = "theorem 7, direct primal-dual flow with a linear compressor";
    if (!k.c().linear)
      k.not_covered(name, k.kind() + " is not linear");
    else if (!convex.empty())
      k.not_covered(name, convex);
    else
      k.open(name, "proved by averaging where P(t) is fast against the flow; without that, the decay below decides");
    return stalls(k);
  }
  const char* name = "theorem 6, observer primal-dual flow";
  if (!k.c().spatio_temporal) return k.not_covered(name, k.kind() + " is no ST compressor: " + k.c().reason);
  if (!convex.empty()) return k.not_covered(name, convex);
  k.open(name, fmt::format(
                   "{} is an ST compressor: gains (alpha, beta, eta) scaled down far enough converge on any connected "
                   "graph; how far is not known in numbers",
                   k.kind()));
}

void choco(Case& k) {
  const char* name = "CHOCO-Gossip's theorem";
  const bool sgd = k.s.method == Method::choco_sgd;
  std::string why = k.first({k.no_graph(), k.not_contractive()});
  if (why.empty() && std::abs(k.s.gamma - *k.t.gamma_star) > 1e-6 * *k.t.gamma_star)
    why = fmt::format("it is for gamma = gamma* = {:.6g} and gamma is {:.6g}; practice takes far larger ones",
                      *k.t.gamma_star, k.s.gamma);
  if (why.empty() && sgd) why = "gradient steps come between the messages";
  if (why.empty())
    k.covers(name, fmt::format("gamma is gamma*, and a step shrinks the expected square of the error to {:.9g} of it",
                               *k.t.choco_contraction));
  else
    k.not_covered(name, why);
  if (!sgd) return;
  const char* floor = "CHOCO-SGD at a constant step";
  if (k.t.floor)
    k.covers(floor,
             "its fixed point on quadratics is the same for every compressor; where it settles, the nodes are there");
  else
    k.open(floor, "it settles at a floor that falls with the learning rate; no number is known for this model");
}

void feedback(Case& k) {
  if (k.s.method == Method::ef_sgd) {
    const char* name = "error feedback with a contractive compressor";
    if (const auto why = k.not_contractive(); !why.empty()) return k.not_covered(name, why);
    if (*k.c().delta == 1) return k.covers(name, "nothing is left out: gradient descent");
    return k.open(name,
                  fmt::format("contractive with delta = {:.6g}: what is left out comes later; at a constant step and "
                              "with objectives that differ the error stays at a floor without a number",
                              *k.c().delta));
  }
  const char *any = "EF21, gradient to zero", *linear = "EF21, linear rate";
  std::string why =
      k.first({k.not_contractive(), k.noise(), k.even_weights ? "" : "it is for workers of equal weight",
               k.t.ef21 ? "" : "the smoothness of every worker's objective is known of quadratics alone"});
  if (!why.empty()) return k.not_covered(any, why), k.not_covered(linear, why);
  const auto judge = [&](const char* name, double bound) {
    const bool below = k.t.time_step <= bound * (1 + 1e-9);
    const std::string numbers =
        fmt::format("the step {:.6g} is {} {:.6g}", k.t.time_step, below ? "at most" : "above", bound);
    below ? k.covers(name, numbers) : k.not_covered(name, numbers);
  };
  judge(any, k.t.ef21->step);
  if (!(k.p.mu > 0)) return k.not_covered(linear, k.not_convex);
  judge(linear, k.t.ef21->linear);
}

void lead(Case& k) {
  const bool cedas = k.s.method == Method::cedas;
  const std::string name = cedas ? "CEDAS, unbiased compressors" : "LEAD, linear rate with unbiased compressors";
  if (!k.c().omega)
    return k.not_covered(name, fmt::format("{} is not unbiased; in practice contractive compressors work with smaller "
                                           "gamma and a",
                                           k.kind()));
  if (const auto why = k.first({k.not_convex, k.noise()}); !why.empty())
    return k.not_covered(name,
                         why + (!k.p.noisy ? ""
                                : cedas    ? "; with them transients last of the order of n C^3/(1 - lambda_2)^2 steps"
                                           : ": a floor of the order of their variance is left"));
  k.open(name,
         fmt::format("unbiased with omega = {:.6g}, exact gradients: linear for gamma and a small enough, without "
                     "their numbers here",
                     *k.c().omega));
  if (*k.c().omega == 0 && k.s.gamma == 1 && k.s.a == 1 && k.s.l1 == 0)
    k.covers("Exact Diffusion, NIDS, D^2", "nothing is left out and gamma = a = 1: these methods are the same");
}

}  // namespace

std::vector<CompressedStatement> compressed_statements(const Experiment& e, size_t index, const RunResult& r,
                                                       const CompressedTheory& t) {
  const Arm& arm = e.arms[index];
  const CompressedSpec& s = *arm.algorithm->compressed();
  const ct::Problem p = ct::problem_of(e, index, r);
  Case k{s, t, p, ct::why_not_strongly_convex(*arm.model, p)};
  const auto& weights = r.arms[index].network->weights();
  k.even_weights = std::all_of(weights.begin(), weights.end(), [&](double w) { return w == weights[0]; });
  k.euler_exact = euler_limit_is_exact(s, e.workers(), arm.model->quadratic_risk());
  if (s.compresses()) {
    const CompressorClass& c = t.traits;
    if (!c.spatio_temporal)
      k.not_covered("ST compressor", fmt::format("{} is none: {}", k.kind(), c.reason));
    else if (!c.strong)
      k.covers("ST compressor", fmt::format("{} is one, but not a strong one: {}", k.kind(), c.reason));
    else
      k.covers("ST compressor", fmt::format("{} is a strong one, and may act on states that do not vanish", k.kind()));
  }
  switch (s.method) {
    case Method::consensus_flow:
      euler(k), linear_steps(k);
      if (s.observes()) {
        consensus_observer(k);
      } else {
        consensus_direct(k);
        if (s.compresses()) stalls(k);
      }
      break;
    case Method::primal_dual:
    case Method::compressed_primal_dual:
      euler(k), linear_steps(k);
      primal_dual(k);
      break;
    case Method::choco_gossip:
    case Method::choco_sgd: choco(k); break;
    case Method::ef_sgd:
    case Method::ef21: feedback(k); break;
    default: lead(k);
  }
  return k.all;
}

}  // namespace orrery
