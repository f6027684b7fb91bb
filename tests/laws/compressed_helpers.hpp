// What the tests of methods with compressed messages share: experiments as text, the ten-node bench of the digest, and the methods written out in
// float64 with whole matrices, from papers/st-compression.md 4.5 and A.2 - A.7.
#pragma once

#include <functional>

#include "tests/laws/run_helpers.hpp"

namespace orrery::test {

using Numbers = std::vector<double>;
using Matrix = std::vector<Numbers>;  // a row per worker

struct Bench {
  std::string precision = "fp64", kind = "primal-dual", compressor = "kind = \"identity\"", algorithm, arms;
  std::string graph = "kind = \"ring\"\nperiod = 1";  // "": none
  std::string step, metrics = "\"optimum_distance\"", batch = "\"full\"", init = "0.25", model, network;
  double learning_rate = 0.1;
  int64_t workers = 6, parameters = 4, steps = 30, every = 1, seed = 5, replicas = 1;
  std::string noise = "0.0";

  bool ten_nodes = false;       // Q10
  bool unit_curvature = false;  // so that the optimum is the mean of the centers
  // Workers that start apart: x_ij(0) = start(i, j), through a file.
  bool apart = false;
  double start(int64_t i, int64_t j) const {
    if (apart && ten_nodes) return c(i, j);
    if (apart) return static_cast<double>((7 * i + 5 * j) % 13) / 4 - 1.4;
    return std::stod(init);
  }
  Bench from_apart(const Folder& folder) const {
    Bench b = *this;
    b.apart = true;
    Numbers all;
    for (int64_t i = 0; i < workers; ++i)
      for (int64_t j = 0; j < parameters; ++j) all.push_back(b.start(i, j));
    write_npy(folder.file("start.npy"), {workers, parameters}, all);
    b.init = fmt::format("\"{}\"", folder.file("start.npy"));
    return b;
  }
  Matrix starts() const {
    Matrix x(static_cast<size_t>(workers), Numbers(static_cast<size_t>(parameters)));
    for (size_t i = 0; i < x.size(); ++i)
      for (size_t j = 0; j < x[0].size(); ++j) x[i][j] = start(static_cast<int64_t>(i), static_cast<int64_t>(j));
    return x;
  }
  Matrix gradients(const Matrix& x) const {
    Matrix g = x;
    for (size_t i = 0; i < x.size(); ++i)
      for (size_t j = 0; j < x[0].size(); ++j) {
        const auto k = static_cast<int64_t>(i), l = static_cast<int64_t>(j);
        g[i][j] = a(k, l) * (x[i][j] - c(k, l));
      }
    return g;
  }

  double a(int64_t i, int64_t j) const {
    if (unit_curvature) return 1;
    if (ten_nodes) return 1 + fraction(0.6180339887498949 * static_cast<double>(10 * i + j + 1));
    return 0.5 + 0.3 * static_cast<double>((3 * i + 2 * j) % 7);
  }
  double c(int64_t i, int64_t j) const {
    if (ten_nodes) return 2 * fraction(1.4142135623730951 * static_cast<double>(10 * i + j + 1)) - 1;
    return (static_cast<double>((5 * i + 3 * j) % 11) - 4.3) / 5;
  }
  static double fraction(double v) { return v - std::floor(v); }
  bool flow() const { return kind == "primal-dual" || kind == "consensus-flow"; }

  std::string text() const {
    Numbers as, cs;
    for (int64_t i = 0; i < workers; ++i)
      for (int64_t j = 0; j < parameters; ++j) as.push_back(a(i, j)), cs.push_back(c(i, j));
    std::string t =
        fmt::format("seed = {}\nreplicas = {}\nsteps = {}\nprecision = \"{}\"\n", seed, replicas, steps, precision);
    t += fmt::format("[model]\nkind = \"quadratic\"\ninit = {}\nnoise = {}\ncurvature = {}\ncenter = {}\n", init, noise,
                     rows_text(as, parameters), rows_text(cs, parameters));
    t += fmt::format("[network]\nworkers = {}\n{}\n", workers, network);
    if (!graph.empty()) t += "[network.graph]\n" + graph + "\n";
    t += fmt::format("[algorithm]\nkind = \"{}\"\n{} = {:.17e}\nbatch = {}\n{}\n", kind,
                     flow() ? "step" : "learning_rate", learning_rate, batch, algorithm);
    if (!compressor.empty()) t += "[compressor]\n" + compressor + "\n";
    t += fmt::format("[record]\nevery = {}\nmetrics = [{}]\nparams = true\n", every, metrics);
    return t + arms;
  }
};

inline Bench q10() {
  Bench b;
  b.ten_nodes = true;
  b.workers = b.parameters = 10;
  b.init = "\"zero\"";
  return b;
}

// the first record point at which a metric lies below, or -1
inline int64_t first_below(const RunResult& r, size_t arm, double below) {
  const auto& values = r.arms[arm].values[0][0];
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] < below) return r.record_steps[i];
  return -1;
}

// ---- whole matrices

inline Matrix zeros(size_t n, size_t p) { return Matrix(n, Numbers(p)); }
inline Matrix times(const Matrix& a, const Matrix& x) {
  Matrix y = zeros(a.size(), x[0].size());
  for (size_t k = 0; k < a.size(); ++k)
    for (size_t l = 0; l < a.size(); ++l)
      for (size_t j = 0; j < x[0].size(); ++j) y[k][j] += a[k][l] * x[l][j];
  return y;
}
// sum of factor * matrix
inline Matrix sum_of(const std::vector<std::pair<double, const Matrix*>>& terms) {
  Matrix y = zeros(terms[0].second->size(), (*terms[0].second)[0].size());
  for (const auto& [f, x] : terms)
    for (size_t k = 0; k < y.size(); ++k)
      for (size_t j = 0; j < y[0].size(); ++j) y[k][j] += f * (*x)[k][j];
  return y;
}
inline Matrix difference_of(const Matrix& a, const Matrix& b) { return sum_of({{1, &a}, {-1, &b}}); }
inline Matrix added(const Matrix& a, double f, const Matrix& b) { return sum_of({{1, &a}, {f, &b}}); }
inline Matrix mean_rows(const Matrix& x) {
  const auto n = x.size();
  return times(Matrix(n, Numbers(n, 1.0 / static_cast<double>(n))), x);
}
inline Numbers flat(const Matrix& x) {
  Numbers all;
  for (const auto& row : x) all.insert(all.end(), row.begin(), row.end());
  return all;
}

inline Matrix path_laplacian(size_t n) {
  Matrix l = zeros(n, n);
  for (size_t k = 0; k + 1 < n; ++k) l[k][k] += 1, l[k + 1][k + 1] += 1, l[k][k + 1] = l[k + 1][k] = -1;
  return l;
}
inline Matrix path_mixing(size_t n) {  // metropolis: 1/3 on every link
  Matrix w = path_laplacian(n);
  for (size_t k = 0; k < n; ++k)
    for (size_t l = 0; l < n; ++l) w[k][l] = (k == l ? 1 : 0) - w[k][l] / 3;
  return w;
}

using Map = std::function<Numbers(const Numbers& x, int64_t slot)>;
inline Matrix rows_through(const Map& c, const Matrix& x, int64_t slot) {
  Matrix q;
  for (const auto& row : x) q.push_back(c(row, slot));
  return q;
}
inline Numbers top(const Numbers& x, size_t k) {  // ties: the lowest index
  Numbers q(x.size());
  for (size_t n = 0; n < k; ++n) {
    size_t best = x.size();
    for (size_t j = 0; j < x.size(); ++j)
      if (q[j] == 0 && x[j] != 0 && (best == x.size() || std::abs(x[j]) > std::abs(x[best]))) best = j;
    if (best < x.size()) q[best] = x[best];
  }
  return q;
}
struct NamedMap {
  std::string text;
  Map map;
};
inline std::vector<NamedMap> named_maps() {
  return {{"kind = \"identity\"", [](const Numbers& x, int64_t) { return x; }},
          {"kind = \"top-k\"\nk = 2", [](const Numbers& x, int64_t) { return top(x, 2); }},
          {"kind = \"one-bit\"",
           [](const Numbers& x, int64_t) {
             double most = 0;
             for (const double v : x) most = std::max(most, std::abs(v));
             Numbers q;
             for (const double v : x) q.push_back(most / 2 * (v > 0 ? 1 : v < 0 ? -1 : 0));
             return q;
           }},
          {"kind = \"cyclic\"", [](const Numbers& x, int64_t slot) {
             Numbers q(x.size());
             const auto at = static_cast<size_t>(slot) % x.size();
             q[at] = x[at];
             return q;
           }}};
}

}  // namespace orrery::test
