// Loss and accuracy of several softmax-regression models on a whole set.
//
//   loss[m] = sum_s u[k_m,s] * (-log softmax(V_m x_s + b_m)_{y_s}) + (l2/2) |V_m|^2        hits[m] = sum_s u[k_m,s] * [argmax = y_s]
//
// Shapes   w (M,P); u (K,n) sample weights with k_m the row of model m; an empty u means 1/n for every sample. Host results, float64.
// Result   CPU: samples in fixed pieces, added in order: same bits for any number of threads and of models beside it.
//          CUDA: same bits run to run. A tie in the argmax goes to the first class.
// Cost     2 M n d C flop; the set is gathered once per chunk of models.
#pragma once

#include <vector>

#include "kernels/scores.hpp"
#include "kernels/softmax_steps.hpp"

namespace orrery {

// Bytes that a call for `models` models on n samples needs.
int64_t softmax_scores_bytes(Backend, int64_t features, int classes, int64_t element_size, int64_t models, int64_t n);

template <class T>
Scores softmax_scores(const Context&, const SoftmaxView&, MatrixView<const T> w, MatrixView<const double> u,
                      const std::vector<int64_t>& row_of_model);

namespace detail {
template <class T, Backend B>
Scores softmax_scores_impl(const Context&, const SoftmaxView&, MatrixView<const T> w, MatrixView<const double> u,
                           const std::vector<int64_t>& row_of_model);
// CUDA: the weighted loss and hit of samples first .. first+count-1 from their logits (M, count * C), which lack the bias (M, C); written
// to the same columns of loss and hits (M, n). row_of_model (M).
template <class T>
void score_logits(const Context&, MatrixView<const T> logits, MatrixView<const T> bias, const SampleView&,
                  int64_t first, MatrixView<const double> u, VectorView<const int64_t> row_of_model, int classes,
                  MatrixView<double> loss, MatrixView<double> hits);
}  // namespace detail

}  // namespace orrery
