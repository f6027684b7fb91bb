// The constants of the theory for one arm, each with how it was obtained or why it is not known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/theory/diffusion/local_constants.hpp"

namespace orrery {

struct Experiment;
struct ArmResult;
struct RunResult;
class ModelSpec;

struct Constant {
  std::optional<double> value;
  std::string how;  // how it was obtained; without a value: why it is not known
};

// What an estimator saw of the first replica of an arm; maxima over the visited points (runtime/theory/estimate.hpp).
struct Estimates {
  int64_t points = 0;                 // visited
  std::optional<double> start_value;  // f at the first visited point, the start
  Constant smoothness, sigma_sq;
  std::vector<double> divergence;  // per tier from the workers upward, then the graph; empty: not estimated
  std::string why_no_divergence;
  std::optional<diffusion::LocalConstants> local;  // at the first visited point, of decentralised arms
  double global_divergence = 0;                    // largest sum over the tiers at one point
};

struct Constants {
  Constant smoothness;            // L
  Constant sigma_sq;              // of a step's mini-batch gradient, beta = 0
  Constant start_value, optimum;  // f(u_0), f*
  std::vector<Constant>
      divergence;  // per tier from the workers upward, then the graph where there are several top nodes
  Constant global_divergence;

  Constant gap() const;  // f(u_0) - f*
};

// Where the replicas of a model without data start, (1,P) or (W,P) each; one entry where all start alike.
std::vector<std::vector<double>> replica_starts(const Experiment&, const ModelSpec&, int64_t* rows);

// From [theory], from the model where it has closed forms, from the estimates and from recorded metrics, in this order.
Constants constants_of(const Experiment&, size_t arm, const RunResult&);

}  // namespace orrery
