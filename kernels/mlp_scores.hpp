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
#include "kernels/softmax_scores.hpp"

namespace orrery {

template <class T>
Scores mlp_scores(const Context&, const MlpView&, MatrixView<const T> w, MatrixView<const double> u,
                  const std::vector<int64_t>& row_of_model);

namespace detail {
template <class T, Backend B>
Scores mlp_scores_impl(const Context&, const MlpView&, MatrixView<const T> w, MatrixView<const double> u,
                       const std::vector<int64_t>& row_of_model);
}  // namespace detail

}  // namespace orrery
