// Decentralised SGD (Cao, Wu, Yuan, Sayed, arXiv 2406.20006): every slot, over the agents' graph with weights a_lk, g_k the agent's mini-batch
// gradient, equal draws for all strategies:
//
//   centralized     w_k <- (1/K) sum_l (w_l - eta g_l(w_l)) from equal starts: w <- w - eta (1/K) sum_l g_l(w)
//   consensus       w_k <- sum_l a_lk w_l - eta g_k(w_k)              the gradient at the old own model
//   diffusion       w_k <- sum_l a_lk (w_l - eta g_l(w_l))            adapt, then combine (ATC)
//   diffusion-cta   z_k  = sum_l a_lk w_l,  w_k <- z_k - eta g_k(z_k)   combine, then adapt
//
// With momentum b_k <- beta b_k + g_k takes the place of g_k; it is never mixed.
#include "runtime/algorithm.hpp"
#include "runtime/cluster.hpp"

namespace orrery {
namespace {

using diffusion::Strategy;

class Decentralised final : public Algorithm {
 public:
  explicit Decentralised(Strategy s) : strategy_(s) {}
  std::string kind() const override { return diffusion::name(strategy_); }
  const Strategy* strategy() const override { return &strategy_; }
  void advance(Cluster& c, int64_t until) const override {
    while (c.now() < until) c.strategy_step(strategy_);
  }

 private:
  Strategy strategy_;
};

template <Strategy s>
std::unique_ptr<Algorithm> make(Params&) {
  return std::make_unique<Decentralised>(s);
}

}  // namespace

namespace algorithms {
extern const Entry<Algorithm> centralized{
    "centralized", "decentralised SGD's yardstick: one model, the mean of all gradients", make<Strategy::centralized>};
extern const Entry<Algorithm> consensus{"consensus",
                                        "decentralised SGD: neighbours' models, minus a gradient at the old own one",
                                        make<Strategy::consensus>};
extern const Entry<Algorithm> diffusion_atc{"diffusion", "decentralised SGD: adapt, then combine (ATC)",
                                            make<Strategy::diffusion>};
extern const Entry<Algorithm> diffusion_cta{"diffusion-cta", "decentralised SGD: combine, then adapt (CTA)",
                                            make<Strategy::diffusion_cta>};
}  // namespace algorithms

}  // namespace orrery
