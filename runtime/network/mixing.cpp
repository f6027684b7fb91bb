#include "runtime/network/mixing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/network/network_error.hpp"

namespace orrery {
namespace {

// Column after column; add() in ascending order of the source.
class Columns {
 public:
  Columns() { h_.begin.push_back(0); }
  void add(int64_t source, double weight) {
    h_.source.push_back(source);
    h_.weight.push_back(weight);
  }
  void close() { h_.begin.push_back(static_cast<int64_t>(h_.source.size())); }
  Mixing take() { return std::move(h_); }

 private:
  Mixing h_;
};

// Off the diagonal h(j, d) on the links of the graph; on it diagonal(d, sum of the others).
template <class Link, class Diagonal>
Mixing on_links(const Graph& g, Link h, Diagonal diagonal) {
  Columns columns;
  std::vector<double> weight;
  for (int64_t d = 0; d < g.nodes(); ++d) {
    double others = 0;
    weight.clear();
    for (const int64_t j : g.neighbours[d]) others += weight.emplace_back(h(j, d));
    bool own = false;
    for (size_t n = 0; n < weight.size(); ++n) {
      const int64_t j = g.neighbours[d][n];
      if (!own && j > d) columns.add(d, diagonal(d, others)), own = true;
      columns.add(j, weight[n]);
    }
    if (!own) columns.add(d, diagonal(d, others));
    columns.close();
  }
  return columns.take();
}

double the_rest(int64_t, double others) { return std::max(1 - others, 0.0); }

Mixing metropolis(const Graph& g, const std::vector<double>& b) {
  const auto q = [&](int64_t d) { return 1.0 / static_cast<double>(1 + g.degree(d)); };
  return on_links(
      g, [&](int64_t j, int64_t d) { return std::min(q(d), b[j] / b[d] * q(j)); }, the_rest);
}

Mixing uniform(const Graph& g) {
  const auto q = [&](int64_t d) { return 1.0 / static_cast<double>(1 + g.degree(d)); };
  return on_links(
      g, [&](int64_t, int64_t d) { return q(d); }, [&](int64_t d, double) { return q(d); });
}

Mixing laplacian(const Graph& g, const std::vector<double>& b, double alpha) {
  double limit = INFINITY;
  int64_t tightest = 0;
  for (int64_t d = 0; d < g.nodes(); ++d) {
    const double bound = b[d] / static_cast<double>(g.degree(d));
    if (bound < limit) limit = bound, tightest = d;
  }
  if (alpha > limit * (1 + 1e-12))
    throw NetworkError("graph.alpha",
                       fmt::format("{} makes entries of I - alpha * Lap * diag(b)^-1 negative; use at most {:.6g}, the "
                                   "weight {:.6g} of node {} over its {} links",
                                   alpha, limit, b[tightest], tightest, g.degree(tightest)));
  return on_links(
      g, [&](int64_t, int64_t d) { return alpha / b[d]; }, the_rest);
}

Mixing average(const Graph& g, const std::vector<double>& b) {
  const int64_t n = g.nodes();
  if (static_cast<int64_t>(g.edges.size()) != n * (n - 1) / 2)
    throw NetworkError("graph.mixing",
                       "\"average\" needs a link between every two nodes; use kind = \"complete\", or another mixing");
  return on_links(
      g, [&](int64_t j, int64_t) { return b[j]; }, [&](int64_t d, double) { return b[d]; });
}

// Node d's column of (I + shift)/2, for n >= 2.
Mixing one_peer(int64_t n, int64_t hop) {
  Columns columns;
  for (int64_t d = 0; d < n; ++d) {
    const int64_t peer = (d + hop) % n;
    columns.add(std::min(d, peer), 0.5);
    columns.add(std::max(d, peer), 0.5);
    columns.close();
  }
  return columns.take();
}

// Node d hears from itself and the nodes 1, 2, 4, ... after it, all weighed equally.
Mixing one_way_exponential(int64_t n) {
  Columns columns;
  for (int64_t d = 0; d < n; ++d) {
    std::vector<int64_t> sources{d};
    for (int64_t hop = 1; hop < n; hop *= 2) sources.push_back((d + hop) % n);
    std::sort(sources.begin(), sources.end());
    for (const int64_t j : sources) columns.add(j, 1 / static_cast<double>(sources.size()));
    columns.close();
  }
  return columns.take();
}

bool rows_sum_to_one(const std::vector<std::vector<double>>& h) {
  return std::all_of(h.begin(), h.end(), [](const auto& row) {
    double sum = 0;
    for (const double x : row) sum += x;
    return std::abs(sum - 1) <= 1e-9;
  });
}

Mixing given(const std::vector<std::vector<double>>& h, const Graph& g) {
  const int64_t n = g.nodes();
  const auto fail = [](const std::string& sentence) { throw NetworkError("graph.matrix", sentence); };

  for (int64_t i = 0; i < std::max(n, static_cast<int64_t>(h.size())); ++i)
    if (static_cast<int64_t>(h.size()) != n || static_cast<int64_t>(h[i].size()) != n)
      fail(fmt::format("the matrix has {} rows and {} columns, and the graph links {} nodes; give a {} x {} matrix",
                       h.size(), h.empty() ? 0 : h[i].size(), n, n, n));
  std::vector<std::vector<int64_t>> successors(n);
  Columns columns;
  for (int64_t d = 0; d < n; ++d) {
    double sum = 0;
    for (int64_t j = 0; j < n; ++j) {
      if (!(h[j][d] >= 0))
        fail(fmt::format("the entry at row {}, column {} is {}; entries must not be negative", j, d, h[j][d]));
      if (j != d && h[j][d] > 0 && !g.linked(j, d))
        fail(
            fmt::format("the entry at row {}, column {} is {}, and the graph has no link between these nodes; make it "
                        "0, or add the link",
                        j, d, h[j][d]));
      sum += h[j][d];
      if (j != d && h[j][d] > 0) successors[j].push_back(d);
      if (j == d || h[j][d] > 0) columns.add(j, h[j][d]);
    }
    if (!(std::abs(sum - 1) <= 1e-9))
      fail(fmt::format(
          "column {} sums to {:.12g}; every column must sum to one (column d says what node d takes from the others){}",
          d, sum, rows_sum_to_one(h) ? "; your rows do, so give the transpose" : ""));
    columns.close();
  }
  if (const auto apart = unreachable(successors))
    fail(
        fmt::format("nothing that node {} knows ever reaches node {}: they are not connected; give the links between "
                    "them positive entries",
                    apart->first, apart->second));
  return columns.take();
}

void make_lazy(Mixing& h) {
  for (int64_t d = 0; d < h.nodes(); ++d)
    for (int64_t e = h.begin[d]; e < h.begin[d + 1]; ++e)
      h.weight[e] = 0.5 * (h.weight[e] + (h.source[e] == d ? 1 : 0));
}

std::vector<Mixing> by_rule(const GraphSpec& spec, const Graph& g, const std::vector<double>& b) {
  if (spec.kind == "one-peer-exponential") {
    if (g.nodes() == 1) return {uniform(g)};
    std::vector<Mixing> cycle;
    for (int64_t hop = 1; hop < g.nodes(); hop *= 2) cycle.push_back(one_peer(g.nodes(), hop));
    return cycle;
  }
  if (spec.directed) return {one_way_exponential(g.nodes())};
  if (spec.mixing == "metropolis") return {metropolis(g, b)};
  if (spec.mixing == "uniform") return {uniform(g)};
  if (spec.mixing == "laplacian") return {laplacian(g, b, spec.alpha)};
  if (spec.mixing == "average") return {average(g, b)};
  expects(spec.mixing == "file", "a known mixing rule");
  return {given(spec.matrix, g)};
}

}  // namespace

std::vector<Mixing> make_mixing(const GraphSpec& spec, const Graph& g, const std::vector<double>& b) {
  std::vector<Mixing> cycle = by_rule(spec, g, b);
  if (spec.lazy)
    for (Mixing& h : cycle) make_lazy(h);
  return cycle;
}

int64_t directed_links(const Mixing& h) { return static_cast<int64_t>(h.source.size()) - h.nodes(); }

double balance_defect(const Mixing& h, const std::vector<double>& b) {
  std::vector<double> defect(b.size());
  for (size_t d = 0; d < b.size(); ++d) defect[d] = -b[d];
  for (int64_t d = 0; d < h.nodes(); ++d)
    for (int64_t e = h.begin[d]; e < h.begin[d + 1]; ++e) defect[h.source[e]] += h.weight[e] * b[d];
  double largest = 0;
  for (const double x : defect) largest = std::max(largest, std::abs(x));
  return largest;
}

std::vector<std::vector<double>> Mixing::dense() const {
  std::vector<std::vector<double>> h(nodes(), std::vector<double>(nodes(), 0.0));
  for (int64_t d = 0; d < nodes(); ++d)
    for (int64_t e = begin[d]; e < begin[d + 1]; ++e) h[source[e]][d] = weight[e];
  return h;
}

}  // namespace orrery
