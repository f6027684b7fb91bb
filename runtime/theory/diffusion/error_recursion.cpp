#include "runtime/theory/diffusion/error_recursion.hpp"

#include <algorithm>

namespace orrery::diffusion {
namespace {

void transpose(std::vector<double>& X, size_t n) {
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < i; ++j) std::swap(X[i * n + j], X[j * n + i]);
}

}  // namespace

// X_k <- onto_k - mu H_k X_k, where onto is X itself or what the neighbours sent.
void ErrorRecursion::adapt(std::vector<double>& X, size_t columns, const std::vector<double>& onto) const {
  std::vector<double> out = onto;
  for (size_t k = 0; k < agents; ++k)
    for (size_t i = 0; i < width; ++i)
      for (size_t j = 0; j < width; ++j) {
        const double scale = step * H[(k * width + i) * width + j];
        if (scale == 0) continue;
        double* const to = &out[(k * width + i) * columns];
        const double* const from = &X[(k * width + j) * columns];
        for (size_t c = 0; c < columns; ++c) to[c] -= scale * from[c];
      }
  X = std::move(out);
}

void ErrorRecursion::mix(const Mixing& A, std::vector<double>& X, size_t columns) const {
  const size_t block = width * columns;
  std::vector<double> out(X.size());
  for (size_t k = 0; k < agents; ++k)
    for (int64_t e = A.begin[k]; e < A.begin[k + 1]; ++e) {
      const double weight = A.weight[static_cast<size_t>(e)];
      const double* const from = &X[static_cast<size_t>(A.source[static_cast<size_t>(e)]) * block];
      double* const to = &out[k * block];
      for (size_t c = 0; c < block; ++c) to[c] += weight * from[c];
    }
  X = std::move(out);
}

void ErrorRecursion::average(std::vector<double>& X, size_t columns) const {
  const size_t block = width * columns;
  std::vector<double> mean(block);
  for (size_t i = 0; i < X.size(); ++i) mean[i % block] += X[i];
  for (double& x : mean) x /= static_cast<double>(agents);
  for (size_t i = 0; i < X.size(); ++i) X[i] = mean[i % block];
}

void ErrorRecursion::before_noise(const Mixing& A, std::vector<double>& X, size_t columns) const {
  if (strategy == Strategy::consensus) {
    std::vector<double> mixed = X;
    mix(A, mixed, columns);
    return adapt(X, columns, mixed);
  }
  if (strategy == Strategy::diffusion_cta) mix(A, X, columns);
  adapt(X, columns, X);
}

void ErrorRecursion::after_noise(const Mixing& A, std::vector<double>& X, size_t columns) const {
  if (strategy == Strategy::diffusion) mix(A, X, columns);
  if (strategy == Strategy::centralized) average(X, columns);
}

void ErrorRecursion::step_mean(const Mixing& A, std::vector<double>& mean) const {
  before_noise(A, mean, 1);
  for (size_t i = 0; i < mean.size(); ++i) mean[i] += step * d[i];
  after_noise(A, mean, 1);
}

void ErrorRecursion::step_covariance(const Mixing& A, std::vector<double>& S) const {
  const size_t n = size();
  for (int side = 0; side < 2; ++side) {  // L (L S)^T = L S L^T for symmetric S
    before_noise(A, S, n);
    transpose(S, n);
  }
  for (size_t k = 0; k < agents; ++k)
    for (size_t i = 0; i < width; ++i)
      for (size_t j = 0; j < width; ++j)
        S[(k * width + i) * n + k * width + j] += step * step * R[(k * width + i) * width + j] / batch;
  for (int side = 0; side < 2; ++side) {
    after_noise(A, S, n);
    transpose(S, n);
  }
}

std::vector<double> ErrorRecursion::linear_part(const Mixing& A) const {
  const size_t n = size();
  std::vector<double> L(n * n);
  for (size_t i = 0; i < n; ++i) L[i * n + i] = 1;
  before_noise(A, L, n);
  after_noise(A, L, n);
  return L;
}

std::vector<ErrorRecursion> error_recursions(const LinearProblem& p, Strategy strategy) {
  const auto K = static_cast<size_t>(p.agents), M = static_cast<size_t>(p.dimension);
  if (!p.diagonal) return {{strategy, K, M, p.step, p.batch, p.H, p.d, p.R}};
  std::vector<ErrorRecursion> parts;
  for (size_t m = 0; m < M; ++m) {
    ErrorRecursion& part = parts.emplace_back(ErrorRecursion{strategy, K, 1, p.step, p.batch, {}, {}, {}});
    for (size_t k = m; k < K * M; k += M) part.H.push_back(p.H[k]), part.d.push_back(p.d[k]), part.R.push_back(p.R[k]);
  }
  return parts;
}

}  // namespace orrery::diffusion
