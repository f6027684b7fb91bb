// Sign voting on a shared model (signSGD with majority vote: Bernstein et al., ICLR 2019; federated voting: arXiv 2403.16372; federated
// defense: arXiv 2402.01340).
//
//   every slot   Y_m <- sign of worker m's mini-batch gradient at x;   u <- sign( sum_m w_m Y_m );   x <- x - eta u
//
// Tiers that act in every step vote; those above average the models of the nodes below (HierSignSGD: arXiv 2602.02355). What the workers
// send, how it is decoded and what is learned from a decision: runtime/voting.
#include "runtime/algorithm.hpp"
#include "runtime/cluster.hpp"
#include "runtime/voting/spec.hpp"

namespace orrery {
namespace {

class SignVote final : public Algorithm {
 public:
  explicit SignVote(Params& p) : spec_(read_vote(p)) {}
  std::string kind() const override { return "sign-vote"; }
  const VoteSpec* voting() const override { return &spec_; }
  void advance(Cluster& c, int64_t until) const override {
    while (c.now() < until) {
      c.vote();
      for (int arm = 0; arm < c.arms(); ++arm)
        if (const Action a = c.schedule(arm).after(c.now()); a.kind == Action::Kind::tier) c.average_models(arm, a);
    }
  }

 private:
  VoteSpec spec_;
};

}  // namespace

namespace algorithms {
extern const Entry<Algorithm> sign_vote{
    "sign-vote",
    "one-bit gradients at shared models, decoded by a vote (majority, learned weights, oracles), and their kin",
    [](Params& p) -> std::unique_ptr<Algorithm> { return std::make_unique<SignVote>(p); }};
}  // namespace algorithms

}  // namespace orrery
