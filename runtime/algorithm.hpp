// A method: what happens between two record points, written in the verbs of the cluster. Holds no CUDA.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"
#include "kernels/core/registry.hpp"
#include "runtime/theory/diffusion/strategy.hpp"

namespace orrery {

class Cluster;
struct CompressedSpec;
struct VoteSpec;

class Algorithm {
 public:
  virtual ~Algorithm() = default;
  virtual std::string kind() const = 0;
  // Moves every row from cluster.now() to `until` local steps, with everything that acts on the way, `until` included.
  virtual void advance(Cluster&, int64_t until) const = 0;
  // Methods that vote: all workers of a replica share one model, and this is how they vote. Null: every worker has its own model.
  virtual const VoteSpec* voting() const { return nullptr; }
  // Decentralised SGD: which strategy. Null: another method.
  virtual const diffusion::Strategy* strategy() const { return nullptr; }
  // Methods whose messages go through the compressor of [compressor]: which, and its gains. Null: another method.
  virtual const CompressedSpec* compressed() const { return nullptr; }
  // Tiered SGD, whose models may go through compressors (runtime/compressed_tiers/).
  virtual bool tiered() const { return false; }
};

const Table<Algorithm>& algorithm_table();
std::unique_ptr<Algorithm> make_algorithm(Params& algorithm);  // reads [algorithm] kind and the method's own keys

// From local step (slot) `step` on, the learning rate is `factor` times what it was.
struct RateDrop {
  int64_t step = 0;
  double factor = 1;
};

// The keys of [algorithm] that every method of local steps shares.
struct StepSpec {
  double learning_rate = 0.1;    // of the first step
  std::vector<RateDrop> drops;   // steps ascending, 1 <= step < the run's steps, factors > 0
  std::vector<int64_t> batch;    // (W), 0 = full (exact local gradient)
  std::vector<int32_t> repeats;  // (W) gradient steps in a slot
  bool shuffle = false;          // passes without replacement in place of draws with replacement
  double momentum = 0;           // heavy ball, local to a worker
  bool keep_momentum = false;    // at averages: keep the velocity, or start again from 0
  enum class Rung {
    fused,
    gradients
  } rung = Rung::fused;  // fused: update folded in; gradients: stored, then descended (the oracle)
};
// All throw ExperimentError with file, line and key, where a method that votes is given what only methods of local models have.
struct NetworkSpec;
void check_voting(const Params& experiment, const NetworkSpec&, const StepSpec&, const VoteSpec&);
void check_strategy(const Params& experiment, const NetworkSpec&, const StepSpec&, diffusion::Strategy);
void check_shared_start(const Params& experiment, int64_t start_rows);  // one start for all workers of a shared model
StepSpec read_step(Params& algorithm, int64_t workers, int64_t steps);  // steps: of the run

}  // namespace orrery
