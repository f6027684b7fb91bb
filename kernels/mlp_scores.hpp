// Loss and accuracy of several MLPs (kernels/mlp_view.hpp) on a whole set.
//
//   loss[m] = sum_s u[k_m,s] * (-log softmax(logits_m(x_s))_{y_s}) + (l2/2) sum_l |W_l|^2      hits[m] = sum_s u[k_m,s] * [argmax = y_s]
//
// Shapes   w (M,P); u (K,n) sample weights with k_m the row of model m; an empty u means 1/n for every sample. Host results, float64.
// Result   CPU: samples in fixed pieces, added in order: same bits for any number of threads and of models beside it.
//          CUDA: same bits run to run. A tie in the argmax goes to the first class.
// Cost     2 M n P flop; on CUDA the set is gathered once per chunk of models.
#pragma once

#include <vector>

#include "kernels/mlp_steps.hpp"
#include "kernels/scores.hpp"

namespace orrery {

// Bytes that a call for `models` models on n samples makes and gives back (CPU: less the threads' rooms for 64 samples each).
int64_t mlp_scores_bytes(Backend, const MlpView&, int64_t element_size, int64_t models, int64_t n);

template <class T>
Scores mlp_scores(const Context&, const MlpView&, MatrixView<const T> w, MatrixView<const double> u,
                  const std::vector<int64_t>& row_of_model);

namespace detail {
constexpr int64_t mlp_scores_piece = 64;       // CPU: samples of one task
constexpr int64_t mlp_scores_gathered = 2048;  // CUDA: samples at once
// CUDA: models at once, whose activations and losses fit into 64 MiB
int64_t mlp_scores_models(const MlpView&, int64_t element_size, int64_t models, int64_t n);
template <class T, Backend B>
Scores mlp_scores_impl(const Context&, const MlpView&, MatrixView<const T> w, MatrixView<const double> u,
                       const std::vector<int64_t>& row_of_model);
}  // namespace detail

}  // namespace orrery
