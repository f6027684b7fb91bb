// Sign voting on a shared model (signSGD with majority vote: Bernstein et al., ICLR 2019; federated voting: arXiv 2403.16372; federated
// defense: arXiv 2402.01340).
//
//   every slot   Y_m <- sign of worker m's mini-batch gradient at x;   u <- sign( sum_m w_m Y_m );   x <- x - eta u
//
// The weights and what is learned from a decision: runtime/voting.
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
    while (c.now() < until) c.vote();
  }

 private:
  VoteSpec spec_;
};

}  // namespace

namespace algorithms {
extern const Entry<Algorithm> sign_vote{
    "sign-vote",
    "one-bit gradients on a shared model, decoded by a vote: majority, learned weights (fv, fd), sqrt-batch",
    [](Params& p) -> std::unique_ptr<Algorithm> { return std::make_unique<SignVote>(p); }};
}  // namespace algorithms

}  // namespace orrery
