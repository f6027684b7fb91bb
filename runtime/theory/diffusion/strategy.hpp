// The strategies of decentralized SGD (papers/diffusion-flatness.md 3). K agents, A (K,K) combination matrix, a_{lk} = weight
// that agent k puts on agent l, columns sum to one; ghat_k = mini-batch gradient of agent k, mu = step size:
//
//   centralized     w_k <- w - mu (1/K) sum_l ghat_l(w)                      one model, A is not used
//   consensus       w_k <- sum_l a_{lk} w_l - mu ghat_k(w_k)                 gradient at the old own iterate
//   diffusion       w_k <- sum_l a_{lk} (w_l - mu ghat_l(w_l))               adapt, then combine
//   diffusion_cta   w_k <- phi_k - mu ghat_k(phi_k), phi_k = sum_l a_{lk} w_l   combine, then adapt
#pragma once

namespace orrery::diffusion {

enum class Strategy { centralized, consensus, diffusion, diffusion_cta };

constexpr Strategy all_strategies[] = {Strategy::centralized, Strategy::consensus, Strategy::diffusion,
                                       Strategy::diffusion_cta};

constexpr const char* name(Strategy s) {  // as in experiment files
  switch (s) {
    case Strategy::centralized: return "centralized";
    case Strategy::consensus: return "consensus";
    case Strategy::diffusion: return "diffusion";
    case Strategy::diffusion_cta: return "diffusion-cta";
  }
  return "";
}

}  // namespace orrery::diffusion
