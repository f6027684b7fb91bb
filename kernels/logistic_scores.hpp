// Loss and accuracy of several logistic-regression models on a whole set, dense or sparse.
//
//   loss[m] = sum_s u[k_m,s] * log(1 + exp(-s z)) + (l2/2) |w_m|^2        hits[m] = sum_s u[k_m,s] * [(z > 0) == (y == 1)]
//
// Shapes   w (M,P); u (K,n) sample weights with k_m the row of model m; an empty u means 1/n for every sample. Host results, float64.
// Result   CPU: samples in fixed pieces, added in order. CUDA: same order run to run. Same bits for any number of threads and of models
//          beside it.
// Cost     2 M n d flop (sparse: 2 M non-zeros); the CPU gathers a dense set once, CUDA reads it M times from its caches.
#pragma once

#include "kernels/logistic_steps.hpp"
#include "kernels/scores.hpp"

namespace orrery {

// Bytes that a call makes and gives back.
int64_t logistic_scores_bytes(Backend, int64_t features, bool sparse, int64_t element_size, int64_t models, int64_t n);

template <class T>
Scores logistic_scores(const Context&, const LogisticView&, MatrixView<const T> w, MatrixView<const double> u,
                       const std::vector<int64_t>& row_of_model);

namespace detail {
template <class T, Backend B>
Scores logistic_scores_impl(const Context&, const LogisticView&, MatrixView<const T> w, MatrixView<const double> u,
                            const std::vector<int64_t>& row_of_model);
}  // namespace detail

}  // namespace orrery
