// Methods whose messages are compressed: the keys of [algorithm] that say which one and with what gains (papers/st-compression.md 4 and A.2 - A.7).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"

namespace orrery {

struct NetworkSpec;
struct StepSpec;

struct CompressedSpec {
  enum class Method {
    consensus_flow,  // x' = -alpha L xc
    primal_dual,     // x' = -alpha L xc - beta v - eta grad f(x),  v' = beta L xc
    choco_gossip,
    choco_sgd,
    ef_sgd,
    ef21,
    lead,
    prox_lead,
    cedas,
    compressed_primal_dual  // the primal-dual flow, observer-plus, with eta = 1 and the observer's gain psi in a step
  };
  enum class Flow { uncompressed, direct, observer_sigma, observer_plus };

  Method method = Method::primal_dual;
  Flow flow = Flow::observer_sigma;             // what stands for x after communication: xc
  double alpha = 1, beta = 1, eta = 1;          // gains of consensus, dual state, gradient
  double kappa = 1;                             // gain of the observer, xh' = kappa q
  double psi = 1;                               // of compressed-primal-dual: xh <- xh + psi q
  double gamma = 1, a = 1;                      // of the relatives: consensus step; step of LEAD's memory H
  double l1 = 0;                                // prox-lead: r(x) = l1 |x|_1
  bool unit_laplacian = true;                   // L of unit weights; else I - W of the mixing matrix
  std::vector<std::vector<double>> dual_start;  // v(0): a row per worker, of P numbers or of one for all; empty: 0
  std::string dual_place;                       // where it is given
  bool send_bytes = false;                      // every message goes through its bytes
  bool check_invariants = false;

  bool is_flow() const { return method == Method::consensus_flow || method == Method::primal_dual; }
  bool star() const { return method == Method::ef_sgd || method == Method::ef21; }  // a server in place of a graph
  bool takes_gradients() const { return method != Method::consensus_flow && method != Method::choco_gossip; }
  bool observes() const { return flow == Flow::observer_sigma || flow == Flow::observer_plus; }
  bool compresses() const { return !is_flow() || flow != Flow::uncompressed; }
  bool has_dual() const { return method == Method::primal_dual || method == Method::compressed_primal_dual; }
  bool has_spare() const { return takes_gradients() || !is_flow() || observes(); }  // the bank that holds gradients
  bool starts_apart() const { return method == Method::lead; }                      // in the first slot nothing is sent
  int64_t banks() const;  // (rows, P) that it keeps beside the parameters and the gradients
};

const char* name(CompressedSpec::Flow);
bool is_flow_kind(const std::string& kind);  // its Euler step is the key `step`
inline const char* step_key(const std::string& kind) { return is_flow_kind(kind) ? "step" : "learning_rate"; }

// Reads the method's own keys; refuses a dual start that does not sum to zero unless dual_start_unbalanced.
CompressedSpec read_compressed(Params& algorithm, CompressedSpec::Method);
// Throws ExperimentError with file, line and key where network or step have what the method has no use for.
void check_compressed(const Params& experiment, const std::string& kind, const NetworkSpec&, const StepSpec&,
                      const CompressedSpec&);
// The same of the dual start, once P is known.
void check_dual_start(const CompressedSpec&, int64_t workers, int64_t parameters);

}  // namespace orrery
