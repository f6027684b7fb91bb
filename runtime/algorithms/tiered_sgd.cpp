// Tiered local SGD (H-SGD: Wang et al., AAAI 2022; MLL-SGD: Castiglia et al., ICLR 2021).
//
//   every slot t, every worker that steps (probability = its rate):   w_i <- w_i - eta * g_i(w_i)
//   after slot t, the largest period P that divides t + 1 acts alone:
//     a tier:    w_i <- sum_{j in the same node} v_j w_j
//     the graph: y_d <- sum_j H_{j,d} z_j over the top nodes' means z,   w_i <- y_{d(i)}
//
// Where messages are compressed, what acts sends differences through compressors instead: runtime/compressed_tiers/compressed_tiers.hpp.
// Local SGD and FedAvg are one tier with one node; HL-SGD two tiers; distributed SGD period 1; cooperative SGD no tier and a graph.
#include "runtime/algorithms/tiered_sgd.hpp"

#include <algorithm>

#include "runtime/cluster.hpp"

namespace orrery {

void TieredSgd::advance(Cluster& c, int64_t until) const {
  while (c.now() < until) {
    const int64_t next = std::min(until, c.next_action());
    c.local_steps(next - c.now());
    for (int arm = 0; arm < c.arms(); ++arm) c.act(arm, c.schedule(arm).after(next));
  }
}

namespace algorithms {
template <const char* kind>
std::unique_ptr<Algorithm> make_tiered(Params&) {
  return std::make_unique<TieredSgd>(kind);
}
namespace {
constexpr char h[] = "h-sgd", mll[] = "mll-sgd", local[] = "local-sgd", average[] = "fedavg";
}
extern const Entry<Algorithm> h_sgd{h, "hierarchical SGD: tiers of averaging, each with its own period",
                                    make_tiered<h>};
extern const Entry<Algorithm> mll_sgd{mll, "multi-level local SGD: workers with rates, hubs that mix over a graph",
                                      make_tiered<mll>};
extern const Entry<Algorithm> local_sgd{local, "local SGD: steps alone, then one average", make_tiered<local>};
extern const Entry<Algorithm> fedavg{average, "federated averaging: local SGD, weights by samples with network.weights",
                                     make_tiered<average>};
}  // namespace algorithms

}  // namespace orrery
