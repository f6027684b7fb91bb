// theory.json: numbers where there are numbers, else null with a reason beside it.
#include <cmath>
#include <nlohmann/json.hpp>

#include "runtime/experiment.hpp"
#include "runtime/theory/arm_theory.hpp"
#include "runtime/theory/json_numbers.hpp"
#include "runtime/theory/theory.hpp"

namespace orrery {

Json vote_json(const VoteTheory&);  // theory/vote_json.cpp

namespace {

Json nothing(const std::vector<std::string>& reasons) {
  std::string all;
  for (const auto& r : reasons) all += (all.empty() ? "" : "; ") + r;
  return {{"value", nullptr}, {"reason", all}};
}

Json constants_of(const ArmTheory& t) {
  Json j;
  j["L"] = constant(t.constants.smoothness);
  j["sigma_sq"] = constant(t.constants.sigma_sq);
  j["beta"] = 0;
  j["start_value"] = constant(t.constants.start_value);
  j["optimum"] = constant(t.constants.optimum);
  for (size_t k = 0; k < t.tiers.size(); ++k) j["divergence"][t.tiers[k]] = constant(t.constants.divergence[k]);
  j["global_divergence"] = constant(t.constants.global_divergence);
  return j;
}

Json waiting_of(const ArmTheory& t) {
  if (!t.waiting_round) return nothing({t.why_no_waiting_round});
  return {{"slots_without_waiting", number(t.waiting_round->slots)},
          {"expected_slots", number(t.waiting_round->expected)},
          {"deviation", number(t.waiting_round->deviation)}};
}

Json h_sgd_of(const ArmTheory& t) {
  Json j;
  j["applies"] = t.tree_bound.has_value();
  j["reasons"] = t.tree_reasons;
  if (!t.tree.why_not.empty()) return j;
  const h_sgd::Tree& tree = t.tree.tree;
  j["levels"] = tree.name;
  j["nodes"] = tree.nodes;
  j["periods"] = tree.period;
  j["A_1"] = number(h_sgd::a1(tree));
  if (tree.nodes.back() > 1) {
    j["A_2"] = number(h_sgd::a2(tree));
    j["noise_period"] = number(h_sgd::noise_period(tree));
    j["heterogeneity_period"] = number(h_sgd::heterogeneity_period(tree));
    const auto a1 = h_sgd::sandwich_a1(tree), a2 = h_sgd::sandwich_a2(tree);
    j["sandwich"] = {{"A_1", {number(a1.low), number(a1.high)}}, {"A_2", {number(a2.low), number(a2.high)}}};
    j["random_grouping"] = numbers(h_sgd::random_grouping(tree));
  }
  j["fixed_grouping"] = number(t.fixed_grouping());  // takes the place of A_2 * global divergence
  if (t.tree_condition)
    j["condition"] = {{"holds", t.tree_condition->holds},
                      {"gamma_L", number(t.tree_condition->gamma_L)},
                      {"c", numbers(t.tree_condition->c)},
                      {"sufficient", number(t.tree_condition->sufficient)}};
  if (t.tree_bound)
    j["bound"] = {
        {"initial", number(t.tree_bound->initial)},          {"noise", number(t.tree_bound->noise)},
        {"local_noise", numbers(t.tree_bound->local_noise)}, {"local_drift", numbers(t.tree_bound->local_drift)},
        {"S_1", number(t.tree_bound->dispersion())},         {"total", number(t.tree_bound->total())}};
  else
    j["bound"] = nothing(t.tree_reasons);
  return j;
}

Json mll_sgd_of(const ArmTheory& t) {
  Json j;
  j["applies"] = t.hub_bound.has_value();
  j["reasons"] = t.hub_reasons;
  if (!t.hubs.why_not.empty()) return j;
  j["tau"] = number(t.hubs.tau);
  j["q"] = number(t.hubs.q);
  j["zeta"] = number(t.hubs.zeta);
  if (t.hubs.zeta) {
    j["bracket"] = number(mll_sgd::bracket(*t.hubs.zeta));
    j["Gamma"] = number(mll_sgd::gamma_constant(*t.hubs.zeta));
    j["hub_coefficient"] = number(mll_sgd::hub_coefficient(t.hubs.tau, t.hubs.q, *t.hubs.zeta));
    j["subnetwork_coefficient"] = number(mll_sgd::subnetwork_coefficient(t.hubs.tau, t.hubs.q, *t.hubs.zeta));
  }
  if (t.verdict)
    j["condition"] = {{"holds", t.verdict->holds},
                      {"worst_margin", number(t.verdict->worst_margin)},
                      {"largest_eta_L", number(t.verdict->largest_eta_L)},
                      {"workers_that_fail", t.verdict->failing},
                      {"workers_outside_the_theorem", t.verdict->outside}};
  if (t.hub_bound)
    j["bound"] = {{"initial", number(t.hub_bound->initial)},
                  {"noise", number(t.hub_bound->noise)},
                  {"hubs", number(t.hub_bound->hubs)},
                  {"subnetworks", number(t.hub_bound->subnetworks)},
                  {"total", number(t.hub_bound->total())}};
  else
    j["bound"] = nothing(t.hub_reasons);
  return j;
}

Json dispersion_of(const ArmTheory& t) {
  Json j;
  if (!t.linear.why_not.empty()) {
    j = nothing({t.linear.why_not});
  } else {
    for (size_t k = 0; k < t.tiers.size() && k < t.linear.part.size(); ++k) j[t.tiers[k]] = number(t.linear.part[k]);
    j["total"] = number(t.linear.total());
  }
  return j;
}

}  // namespace

std::string theory_json(const Experiment& e, const std::vector<ArmTheory>& arms, const std::vector<TheoryTable>& tables,
                        const std::vector<std::string>& warnings) {
  Json j;
  j["name"] = e.name;
  j["steps"] = e.steps;
  j["workers"] = e.workers();
  j["warnings"] = warnings;
  j["arms"] = Json::array();
  for (size_t a = 0; a < arms.size(); ++a) {
    const ArmTheory& t = arms[a];
    Json arm;
    if (e.has_arms) arm["name"] = t.name;
    arm["learning_rate"] = number(t.eta);
    arm["rates"] = {
        {"slowest", number(t.slowest)}, {"fastest", number(t.fastest)}, {"weighted_mean", number(t.mean_rate)}};
    arm["sum_of_squared_weights"] = number(t.square_weights);
    arm["constants"] = constants_of(t);
    arm["h_sgd"] = h_sgd_of(t);
    arm["mll_sgd"] = mll_sgd_of(t);
    if (t.diffusion) {
      arm["diffusion"] = {{"excess_risk", t.diffusion->excess_risk},
                          {"excess_risk_mean", t.diffusion->excess_risk_mean}};
      if (!t.diffusion->why_not.empty()) arm["diffusion"]["reason"] = t.diffusion->why_not;
      if (t.diffusion->estimates) arm["diffusion"]["estimates"] = json_of(*t.diffusion->estimates);
      if (t.diffusion->warning) arm["diffusion"]["warning"] = *t.diffusion->warning;
    }
    if (t.compressed) arm["compressed"] = compressed_json(*t.compressed);
    if (t.votes) arm["sign_vote"] = vote_json(*t.votes);
    arm["waiting_round"] = waiting_of(t);
    arm["dispersion_per_eta_sq_sigma_sq"] = dispersion_of(t);
    arm["table"] = Json::array();
    for (const TheoryRow& row : tables[a].rows)
      arm["table"].push_back({{"quantity", row.quantity},
                              {"predicted", number(row.predicted)},
                              {"measured", number(row.measured)},
                              {"note", row.note}});
    j["arms"].push_back(arm);
  }
  return j.dump(2) + "\n";
}

}  // namespace orrery
