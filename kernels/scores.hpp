// What the scores of softmax regression, logistic regression and perceptrons share: the result, its checks, the sums over a set.
//
//   loss[m] = sum_s u[k_m,s] * (loss of sample s at model m) + (l2/2) |weights of m|^2        hits[m] = sum_s u[k_m,s] * [s is a hit]
//
// Shapes   u (K,n) sample weights with k_m = row_of_model[m]; an empty u means 1/n for every sample. Host results, float64.
// Order    CPU: pieces of consecutive samples, of a fixed length, are summed sample by sample and then added in order.
//          CUDA: segment_sums over the losses per sample (kernels/distances.hpp).
#pragma once

#include <vector>

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

struct Scores {
  std::vector<double> loss, hits;  // (M)
};

namespace detail {

// CPU: one task sums `scores_piece` samples; scores_places of them are gathered at once. Bytes of the pieces' sums.
constexpr int64_t scores_piece = 256, scores_places = 64;
inline int64_t scores_sums_bytes(int64_t models, int64_t n, int64_t piece) {
  return (n + piece - 1) / piece * models * 2 * int64_t{sizeof(double)};
}
// CUDA: samples gathered at once, and models whose losses per sample fit into 64 MiB.
constexpr int64_t scores_gathered = 4096;
inline int64_t scores_models(int64_t models, int64_t n) {
  const int64_t fit = (int64_t{64} << 20) / (16 * n + 1);
  return fit < 1 ? 1 : fit < models ? fit : models;
}

// `parameters` of a model, n samples of the set
template <class T>
void check_scores(const Context&, MatrixView<const T> w, int64_t parameters, int64_t n, MatrixView<const double> u,
                  const std::vector<int64_t>& row_of_model);
// loss[m] <- loss[m] + (l2/2) |weights[m,:]|^2
template <class T>
void add_penalty(const Context&, double l2, MatrixView<const T> weights, Scores&);
// Appends the sums of the rows of loss and hits (many, n) to the scores; sums: room for as many.
void append_sums(const Context&, MatrixView<const double> loss, MatrixView<const double> hits, VectorView<double> sums,
                 Scores&);

}  // namespace detail

}  // namespace orrery
