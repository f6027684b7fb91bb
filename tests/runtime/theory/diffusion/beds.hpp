// Shared by the tests of decentralized SGD: the test beds T1 and T1h, graphs of the digest, random problems (papers/diffusion-flatness.md 7).
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "kernels/core/rng.hpp"
#include "runtime/theory/diffusion/combination.hpp"
#include "runtime/theory/diffusion/linear_problem.hpp"
#include "runtime/theory/diffusion/strategy.hpp"
#include "tests/runtime/network/make_network.hpp"
#include "tests/runtime/theory/sign_vote/digits.hpp"

namespace orrery::test {

inline double fraction(double x) { return x - std::floor(x); }

// T1: K = 16, M = 4, H = diag(2, 1, 0.5, 0.25), mu = 0.02, R_k = I, d_k = 2 (z_k - mean z)
inline diffusion::LinearProblem t1(double batch) {
  diffusion::LinearProblem p{
      .agents = 16, .dimension = 4, .diagonal = true, .H = {}, .d = {}, .R = {}, .step = 0.02, .batch = batch};
  const double h[] = {2, 1, 0.5, 0.25};
  double mean[4] = {};
  for (int k = 0; k < 16; ++k)
    for (int m = 0; m < 4; ++m) {
      const double z = fraction((4 * k + m + 1) * 0.6180339887498949);
      p.H.push_back(h[m]), p.R.push_back(1), p.d.push_back(z);
      mean[m] += z / 16;
    }
  for (size_t i = 0; i < p.d.size(); ++i) p.d[i] = 2 * (p.d[i] - mean[i % 4]);
  return p;
}

// T1h: H_k = diag(h_m (0.5 + frac((4k+m+1) 0.7548776662466927)))
inline diffusion::LinearProblem t1h(double batch) {
  diffusion::LinearProblem p = t1(batch);
  for (int i = 0; i < 64; ++i) p.H[static_cast<size_t>(i)] *= 0.5 + fraction((i + 1) * 0.7548776662466927);
  return p;
}

// "ring", "grid", "full" of the digest, or what a [network.graph] table says
inline Mixing mixing(const std::string& graph, int64_t agents = 16) {
  if (graph == "full") return diffusion::everyone(agents);
  if (graph == "directed exponential") return diffusion::directed_exponential(agents);
  return build("workers = " + std::to_string(agents) + "\ngraph = { " +
               (graph.find('=') == std::string::npos ? "kind = \"" + graph + "\"" : graph) + " }")
      .network.mixing()[0];
}

// All entries of the same problem as (K,M,M) matrices.
inline diffusion::LinearProblem as_dense(const diffusion::LinearProblem& p) {
  diffusion::LinearProblem q = p;
  const auto M = static_cast<size_t>(p.dimension);
  q.diagonal = false;
  q.H.assign(p.H.size() * M, 0), q.R.assign(p.R.size() * M, 0);
  for (size_t i = 0; i < p.H.size(); ++i) {
    q.H[i / M * M * M + i % M * (M + 1)] = p.H[i];
    q.R[i / M * M * M + i % M * (M + 1)] = p.R[i];
  }
  return q;
}

// Random symmetric positive definite H_k and R_k (G G^T / M, and 0.1 on the diagonal of H), random d with sum 0; largest curvature
// of the order of 2.
inline diffusion::LinearProblem random_problem(int64_t agents, int64_t M, double step, double batch, uint64_t seed,
                                               bool common = false) {
  diffusion::LinearProblem p{
      .agents = agents, .dimension = M, .diagonal = false, .H = {}, .d = {}, .R = {}, .step = step, .batch = batch};
  const auto m = static_cast<size_t>(M);
  const auto append_spd = [&](std::vector<double>& to, const Stream& draws, double ridge) {
    std::vector<double> G(m * m);
    for (size_t i = 0; i < G.size(); ++i) G[i] = draws.normal(static_cast<uint32_t>(i));
    for (size_t i = 0; i < m; ++i)
      for (size_t j = 0; j < m; ++j) {
        double sum = i == j ? ridge : 0;
        for (size_t l = 0; l < m; ++l) sum += G[i * m + l] * G[j * m + l] / static_cast<double>(2 * M);
        to.push_back(sum);
      }
  };
  std::vector<double> mean(m);
  for (int64_t k = 0; k < agents; ++k) {
    const auto worker = static_cast<uint32_t>(k);
    append_spd(p.H, Stream(seed, Draw::initial, common ? 0 : worker, 0), 0.1);
    append_spd(p.R, Stream(seed, Draw::initial, worker, 1), 0);
    for (size_t i = 0; i < m; ++i) {
      p.d.push_back(Stream(seed, Draw::initial, worker, 2).normal(static_cast<uint32_t>(i)));
      mean[i] += p.d.back() / static_cast<double>(agents);
    }
  }
  for (size_t i = 0; i < p.d.size(); ++i) p.d[i] -= mean[i % m];
  return p;
}

}  // namespace orrery::test
