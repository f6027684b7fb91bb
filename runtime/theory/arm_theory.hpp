// Everything that theory says about one arm, as numbers with reasons; theory.cpp turns it into tables, theory_json.cpp and theory_text.cpp into
// what is read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/theory/compressed/compressed_theory.hpp"
#include "runtime/theory/constants.hpp"
#include "runtime/theory/diffusion_theory.hpp"
#include "runtime/theory/dispersion.hpp"
#include "runtime/theory/h_sgd.hpp"
#include "runtime/theory/mll_sgd.hpp"
#include "runtime/theory/quadratic_curves.hpp"
#include "runtime/theory/vote_theory.hpp"

namespace orrery {

// Sub-networks that average every tau slots and mix every q tau, as Theorem 1 of MLL-SGD has them.
struct Hubs {
  double tau = 1, q = 1;
  std::optional<double> zeta;
  std::string why_not;  // "" where the network has that form
};
Hubs hubs_of(const Network&);
bool own_periods(const NetworkSpec&);  // groups of the first tier average at different periods

// A round if averages waited for the slowest worker (mll-sgd.md 3.5; runtime/theory/waiting.hpp), in slots.
struct WaitingRound {
  double slots = 0, expected = 0, deviation = 0;  // without waiting; with it, and its standard deviation
};

struct ArmTheory {
  std::string name;
  std::vector<std::string> tiers;  // from the workers upward, then "graph" where there are several top nodes
  double eta = 0, steps = 0;
  double mean_rate = 1, slowest = 1, fastest = 1, square_weights = 1;
  Constants constants;
  LinearDispersion linear;

  // H-SGD
  h_sgd::TreeOf tree;
  std::vector<std::string> tree_reasons;  // why the bound does not apply; empty where it does
  std::optional<h_sgd::Condition> tree_condition;
  std::optional<h_sgd::Bound> tree_bound;

  // MLL-SGD
  Hubs hubs;
  std::vector<std::string> hub_reasons;
  std::optional<mll_sgd::Verdict> verdict;
  std::optional<mll_sgd::Bound> hub_bound;

  std::optional<WaitingRound> waiting_round;  // where rates are below 1
  std::string why_no_waiting_round;           // "" where there is one

  std::optional<DiffusionTheory> diffusion;    // of a strategy of decentralised SGD
  std::optional<VoteTheory> votes;             // of a method that votes
  std::optional<CompressedTheory> compressed;  // of a method with compressed messages

  // quadratics
  QuadraticCurves curves;

  const Constant& divergence_of_level(size_t level) const;  // level 1 ... M of the tree
  // sum_l P_l^2 eps_l^2 (h-sgd.md 5.2): what a fixed grouping has in place of A_2 times the global divergence; empty where one is not known, or groups
  // have periods of their own
  std::optional<double> fixed_grouping() const;
};
ArmTheory arm_theory(const Experiment&, size_t arm, const RunResult&);

// How the table, the text and the JSON are made of it.
struct TheoryTable;
TheoryTable theory_table(const Experiment&, size_t arm, const ArmTheory&, const RunResult&, bool measured,
                         std::vector<std::string>* warnings);
std::string theory_text(const Experiment&, const std::vector<ArmTheory>&, const std::vector<TheoryTable>&);
std::string theory_json(const Experiment&, const std::vector<ArmTheory>&, const std::vector<TheoryTable>&,
                        const std::vector<std::string>& warnings);

}  // namespace orrery
