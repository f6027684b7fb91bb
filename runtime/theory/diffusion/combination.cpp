#include "runtime/theory/diffusion/combination.hpp"

#include "kernels/core/error.hpp"

namespace orrery::diffusion {
namespace {

using Dense = std::vector<std::vector<double>>;

Dense zero(int64_t agents) {
  expects(agents >= 1, "an agent");
  return Dense(static_cast<size_t>(agents), std::vector<double>(static_cast<size_t>(agents)));
}

}  // namespace

Mixing of_matrix(const Dense& A) {
  Mixing out;
  out.begin.push_back(0);
  for (const auto& row : A) expects(row.size() == A.size(), "a square matrix");
  for (size_t k = 0; k < A.size(); ++k) {
    for (size_t l = 0; l < A.size(); ++l)
      if (A[l][k] != 0 || l == k) out.source.push_back(static_cast<int64_t>(l)), out.weight.push_back(A[l][k]);
    out.begin.push_back(static_cast<int64_t>(out.source.size()));
  }
  return out;
}

Mixing alone(int64_t agents) {
  Dense A = zero(agents);
  for (size_t k = 0; k < A.size(); ++k) A[k][k] = 1;
  return of_matrix(A);
}

Mixing everyone(int64_t agents) {
  Dense A = zero(agents);
  for (auto& row : A)
    for (double& a : row) a = 1 / static_cast<double>(agents);
  return of_matrix(A);
}

Mixing directed_exponential(int64_t agents) {
  Dense A = zero(agents);
  std::vector<int64_t> hops{0};
  for (int64_t hop = 1; hop < agents; hop *= 2) hops.push_back(hop);
  for (int64_t k = 0; k < agents; ++k)
    for (const int64_t hop : hops)
      A[static_cast<size_t>((k + hop) % agents)][static_cast<size_t>(k)] = 1 / static_cast<double>(hops.size());
  return of_matrix(A);
}

Mixing symmetrized(const Mixing& mixing) {
  const Dense A = mixing.dense();
  Dense S = A;
  for (size_t l = 0; l < A.size(); ++l)
    for (size_t k = 0; k < A.size(); ++k) S[l][k] = (A[l][k] + A[k][l]) / 2;
  return of_matrix(S);
}

Mixing lazy(const Mixing& mixing) {
  Dense A = mixing.dense();
  for (size_t l = 0; l < A.size(); ++l)
    for (size_t k = 0; k < A.size(); ++k) A[l][k] = (A[l][k] + (l == k ? 1 : 0)) / 2;
  return of_matrix(A);
}

}  // namespace orrery::diffusion
