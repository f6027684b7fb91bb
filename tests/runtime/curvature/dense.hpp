// Shared by the tests of curvature: matrices whose products, traces and eigenvalues are known.
#pragma once

#include <gtest/gtest.h>
#include <lapacke.h>

#include <cmath>
#include <vector>

#include "runtime/curvature/symmetric_products.hpp"

namespace orrery::test {

using Vector = std::vector<double>;

// Products with a (P,P) matrix, at most so many at a time; counts them.
inline SymmetricProducts products_with(const Vector& H, int64_t at_a_time, int64_t* count = nullptr) {
  const auto P = static_cast<size_t>(std::sqrt(static_cast<double>(H.size())) + 0.5);
  return {static_cast<int64_t>(P), at_a_time, [H, P, at_a_time, count](const Vector& v) {
            const size_t m = v.size() / P;
            EXPECT_TRUE(m * P == v.size() && m >= 1 && m <= static_cast<size_t>(at_a_time));
            if (count) *count += static_cast<int64_t>(m);
            Vector out(v.size());
            for (size_t k = 0; k < m; ++k)
              for (size_t i = 0; i < P; ++i)
                for (size_t j = 0; j < P; ++j) out[k * P + i] += H[i * P + j] * v[k * P + j];
            return out;
          }};
}

inline Vector diagonal(const Vector& d) {
  Vector H(d.size() * d.size());
  for (size_t i = 0; i < d.size(); ++i) H[i * d.size() + i] = d[i];
  return H;
}

// G G^T / n of n x n normal draws, minus `shift` on the diagonal: positive definite where shift is 0.
inline Vector random_symmetric(int64_t n, uint64_t seed, double shift = 0) {
  const auto m = static_cast<size_t>(n);
  const Stream draws(seed, Draw::initial, 0, 0);
  Vector G(m * m), H(m * m);
  for (size_t i = 0; i < G.size(); ++i) G[i] = draws.normal(static_cast<uint32_t>(i));
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < m; ++j) {
      for (size_t l = 0; l < m; ++l) H[i * m + j] += G[i * m + l] * G[j * m + l] / static_cast<double>(n);
      if (i == j) H[i * m + j] -= shift;
    }
  return H;
}

inline double trace_of(const Vector& H) {
  const auto P = static_cast<size_t>(std::sqrt(static_cast<double>(H.size())) + 0.5);
  double sum = 0;
  for (size_t i = 0; i < P; ++i) sum += H[i * P + i];
  return sum;
}

inline double top_of(Vector H) {  // by LAPACK
  const auto n = static_cast<lapack_int>(std::sqrt(static_cast<double>(H.size())) + 0.5);
  Vector lambda(static_cast<size_t>(n));
  EXPECT_EQ(LAPACKE_dsyev(LAPACK_ROW_MAJOR, 'N', 'U', n, H.data(), n, lambda.data()), 0);
  return lambda.back();
}

}  // namespace orrery::test
