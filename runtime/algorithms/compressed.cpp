// Methods whose messages are compressed: q = C(x, t) with the compressor of [compressor]. One slot of each, of all workers together:
//
//   consensus-flow, primal-dual, compressed-primal-dual   runtime/compressed/flow.cpp        papers/st-compression.md 4, A.7
//   choco-gossip, choco-sgd                               runtime/compressed/choco.cpp       A.2, A.3
//   ef-sgd, ef21                                          runtime/compressed/feedback.cpp    A.1, A.4
//   lead, prox-lead, cedas                                runtime/compressed/lead.cpp        A.5, A.6
#include "runtime/algorithm.hpp"
#include "runtime/cluster.hpp"
#include "runtime/compressed/spec.hpp"

namespace orrery {
namespace {

using Method = CompressedSpec::Method;

class CompressedMessages final : public Algorithm {
 public:
  CompressedMessages(std::string kind, CompressedSpec spec) : kind_(std::move(kind)), spec_(std::move(spec)) {}
  std::string kind() const override { return kind_; }
  const CompressedSpec* compressed() const override { return &spec_; }
  void advance(Cluster& c, int64_t until) const override {
    while (c.now() < until) c.compressed_step();
  }

 private:
  std::string kind_;
  CompressedSpec spec_;
};

Entry<Algorithm> entry(const std::string& kind, Method method, const std::string& what) {
  return {kind, what, [kind, method](Params& p) -> std::unique_ptr<Algorithm> {
            return std::make_unique<CompressedMessages>(kind, read_compressed(p, method));
          }};
}

}  // namespace

namespace algorithms {
extern const Entry<Algorithm> consensus_flow =
    entry("consensus-flow", Method::consensus_flow, "agreement by compressed messages along a graph, in Euler steps");
extern const Entry<Algorithm> primal_dual =
    entry("primal-dual", Method::primal_dual,
          "primal-dual flow with compressed messages: direct, or through an observer, in Euler steps");
extern const Entry<Algorithm> choco_gossip =
    entry("choco-gossip", Method::choco_gossip, "gossip of compressed differences to copies that neighbours hold");
extern const Entry<Algorithm> choco_sgd =
    entry("choco-sgd", Method::choco_sgd, "decentralised SGD with CHOCO-Gossip in the place of mixing");
extern const Entry<Algorithm> ef_sgd = entry(
    "ef-sgd", Method::ef_sgd, "SGD at a server with error feedback: what a message leaves out goes into the next");
extern const Entry<Algorithm> ef21 =
    entry("ef21", Method::ef21, "gradient descent at a server from compressed differences of gradients");
extern const Entry<Algorithm> lead =
    entry("lead", Method::lead, "exact decentralised descent with compressed differences and a dual variable");
extern const Entry<Algorithm> prox_lead = entry("prox-lead", Method::prox_lead, "LEAD with an l1 term for all");
extern const Entry<Algorithm> cedas =
    entry("cedas", Method::cedas, "compressed exact diffusion, whose learning rate may fall");
extern const Entry<Algorithm> compressed_primal_dual =
    entry("compressed-primal-dual", Method::compressed_primal_dual,
          "primal-dual algorithm of Yi et al. with compressed differences");
}  // namespace algorithms

}  // namespace orrery
