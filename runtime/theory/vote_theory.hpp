// What theory says of an arm whose workers vote (runtime/theory/sign_vote/), and what its run showed: papers/signsgd-fv.md 5 and the end
// of 9.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/theory/constants.hpp"
#include "runtime/theory/sign_vote/prediction.hpp"
#include "runtime/theory/sign_vote/tables.hpp"
#include "runtime/voting/measurement.hpp"

namespace orrery {

// Bounds of sign_vote/convergence.hpp for the whole run.
struct VoteConvergence {
  Constant norm1_L, norm1_sigma, gap;
  std::vector<std::string> reasons, floor_reasons;  // why there is no bound, no floor; empty where there is one
  std::optional<double> R;                          // of the mean of sum_n |g_n| (1 - 2 P_E)
  std::optional<double> best_step, best_R;
  std::optional<double> majority_floor,
      weighted_floor;  // of sum_n |g_n| P_E close to a stationary point; weights sqrt(B)
};

struct MeasuredVotes {
  VotePhase seen;       // of the last phase that has looks
  std::string phase;    // "all rounds", "rounds after the warm-up", "rounds of the warm-up"
  std::string weights;  // what v is
  bool majority = false;
  bool per_coordinate = false;    // it learns in every coordinate by itself; v is what all of them together teach
  std::string why_no_prediction;  // of one server; "" where there is one
  // Of equal votes through tiers of nodes that forward signs, all alike and in the workers' order: decoding error, and weighted by the gradient
  std::optional<double> through_tiers, through_tiers_weighted;
  std::optional<sign_vote::VotePrediction> of_p, of_weighted;  // from p, and from p weighted by the gradient
  std::vector<sign_vote::ClassPrediction> classes;             // from p by classes of |g_n|, as in `seen`
  sign_vote::ClassPrediction by_class, by_class_weighted;      // of all coordinates; weighted by the gradient
  std::vector<std::string> exceeded;                           // bounds that the decoding error is above, beyond chance
};

struct VoteTheory {
  std::optional<sign_vote::SignVoteTables> tables;
  std::string why_no_tables;
  std::string beyond;  // what the tables leave out: "honest workers that ..."; "" where the arm is just that
  VoteConvergence convergence;
  std::optional<MeasuredVotes> measured;
};
VoteTheory vote_theory(const Experiment&, size_t arm, const RunResult&, const Constants&);

// The arm's rows, and a warning per bound that was exceeded.
struct TheoryTable;
TheoryTable vote_table(const Experiment&, size_t arm, const std::string& name, const VoteTheory&, const RunResult&,
                       bool measured, std::vector<std::string>* warnings);
std::string vote_text(const VoteTheory&,
                      const std::string& same_tables_as);  // what `orrery theory` prints below the arm's name

}  // namespace orrery
