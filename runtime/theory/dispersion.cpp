#include "runtime/theory/dispersion.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/core/error.hpp"
#include "runtime/network/mixing.hpp"

namespace orrery {
namespace {

// X <- V^T X V for symmetric X (N,N): blocks by node, each the weighted mean of its block. Returns the means (D,D).
std::vector<double> block_means(const Groups& g, const std::vector<double>& x, size_t n) {
  const auto nodes = static_cast<size_t>(g.nodes());
  std::vector<double> by_node(n * nodes), means(nodes * nodes);  // row i, node l
  for (size_t i = 0; i < n; ++i)
    for (size_t l = 0; l < nodes; ++l) {
      double sum = 0;
      for (auto k = g.begin[l]; k < g.begin[l + 1]; ++k) {
        const auto at = static_cast<size_t>(k);
        sum += g.weight[at] * x[i * n + static_cast<size_t>(g.member[at])];
      }
      by_node[i * nodes + l] = sum;
    }
  for (size_t l = 0; l < nodes; ++l)
    for (auto k = g.begin[l]; k < g.begin[l + 1]; ++k) {
      const auto at = static_cast<size_t>(k);
      for (size_t o = 0; o < nodes; ++o)
        means[l * nodes + o] += g.weight[at] * by_node[static_cast<size_t>(g.member[at]) * nodes + o];
    }
  return means;
}

std::vector<double> node_means(const Groups& g, const std::vector<double>& x) {
  std::vector<double> means(static_cast<size_t>(g.nodes()));
  for (size_t l = 0; l < means.size(); ++l)
    for (auto k = g.begin[l]; k < g.begin[l + 1]; ++k)
      means[l] += g.weight[static_cast<size_t>(k)] * x[static_cast<size_t>(g.member[static_cast<size_t>(k)])];
  return means;
}

// H^T B H and z H, H by columns.
std::vector<double> mixed(const Mixing& h, const std::vector<double>& b) {
  const auto d = static_cast<size_t>(h.nodes());
  std::vector<double> bh(d * d), out(d * d);
  for (size_t i = 0; i < d; ++i)
    for (size_t c = 0; c < d; ++c)
      for (auto e = h.begin[c]; e < h.begin[c + 1]; ++e)
        bh[i * d + c] +=
            b[i * d + static_cast<size_t>(h.source[static_cast<size_t>(e)])] * h.weight[static_cast<size_t>(e)];
  for (size_t r = 0; r < d; ++r)
    for (auto e = h.begin[r]; e < h.begin[r + 1]; ++e) {
      const double weight = h.weight[static_cast<size_t>(e)];
      const double* row = &bh[static_cast<size_t>(h.source[static_cast<size_t>(e)]) * d];
      for (size_t c = 0; c < d; ++c) out[r * d + c] += weight * row[c];
    }
  return out;
}
std::vector<double> mixed_means(const Mixing& h, const std::vector<double>& z) {
  std::vector<double> y(z.size());
  for (size_t c = 0; c < y.size(); ++c)
    for (auto e = h.begin[c]; e < h.begin[c + 1]; ++e)
      y[c] += h.weight[static_cast<size_t>(e)] * z[static_cast<size_t>(h.source[static_cast<size_t>(e)])];
  return y;
}

// Every worker gets its node's model.
void expand(const Groups& g, const std::vector<double>& z, const std::vector<double>& b, std::vector<double>& m,
            std::vector<double>& c) {
  const size_t n = m.size(), nodes = z.size();
  for (size_t i = 0; i < n; ++i) {
    const auto own = static_cast<size_t>(g.node_of[i]);
    m[i] = z[own];
    for (size_t k = 0; k < n; ++k) c[i * n + k] = b[own * nodes + static_cast<size_t>(g.node_of[k])];
  }
}

// Where only some nodes of the first tier act: the others fall apart into their workers, which keep their models.
Groups acting(const Groups& tier, const TierSpec& spec, const Action& action) {
  Groups g;
  g.begin = {0};
  g.node_of.resize(tier.member.size());
  const auto close = [&] { g.begin.push_back(static_cast<int64_t>(g.member.size())); };
  for (int64_t k = 0; k < tier.nodes(); ++k) {
    const bool whole = acts(spec, action, k);
    for (auto i = tier.begin[static_cast<size_t>(k)]; i < tier.begin[static_cast<size_t>(k) + 1]; ++i) {
      const auto at = static_cast<size_t>(i);
      g.node_of[static_cast<size_t>(tier.member[at])] = g.nodes();
      g.member.push_back(tier.member[at]);
      g.weight.push_back(whole ? tier.weight[at] : 1);
      if (!whole) close();
    }
    if (whole) close();
  }
  return g;
}

// A cycle of mixings, seen by the covariance X (D,D) of the top nodes' means in deviation from u:
//   per mixing   X <- J^T H^T (X + period diag(v)) H J,   J = I - b 1^T
class Cycle {
 public:
  Cycle(const std::vector<Mixing>& mixing, const std::vector<double>& b, const std::vector<double>& v, double period)
      : mixing_(mixing), b_(b), v_(v), period_(period), d_(b.size()) {}

  // X after a cycle, and the time average of sum_d b_d X_dd over it
  std::pair<std::vector<double>, double> walk(std::vector<double> x) const {
    double sum = 0, growth = 0;  // of sum_d b_d X_dd in a slot
    for (size_t l = 0; l < d_; ++l) growth += b_[l] * (1 - b_[l]) * v_[l];
    for (const Mixing& h : mixing_) {
      for (size_t l = 0; l < d_; ++l) sum += b_[l] * x[l * d_ + l];
      sum += growth * (period_ - 1) / 2;
      for (size_t l = 0; l < d_; ++l) x[l * d_ + l] += period_ * v_[l];
      x = mixed(h, x);
      project(x);
    }
    return {std::move(x), sum / static_cast<double>(mixing_.size())};
  }

  // X = A^T X A + Q by doubling: Q <- Q + A^T Q A, A <- A^2. Empty where A does not contract.
  std::vector<double> fixed_point() const {
    auto q = walk(std::vector<double>(d_ * d_)).first;
    std::vector<double> a(d_ * d_);
    for (size_t i = 0; i < d_; ++i) a[i * d_ + i] = 1;
    for (const Mixing& h : mixing_) {
      const auto dense = h.dense();
      std::vector<double> hj(d_ * d_);
      for (size_t j = 0; j < d_; ++j)
        for (size_t c = 0; c < d_; ++c) hj[j * d_ + c] = dense[j][c] - b_[j];
      a = product(false, a, hj);
    }
    for (int doubling = 0; doubling < 60; ++doubling) {
      const double largest =
          std::abs(*std::max_element(a.begin(), a.end(), [](double x, double y) { return std::abs(x) < std::abs(y); }));
      if (largest < 1e-18) return q;
      if (!(largest < 1e6)) return {};
      const auto more = product(true, a, product(false, q, a));
      for (size_t i = 0; i < q.size(); ++i) q[i] += more[i];
      a = product(false, a, a);
    }
    return {};
  }

 private:
  std::vector<double> product(bool transposed, const std::vector<double>& x, const std::vector<double>& y) const {
    const auto d = static_cast<int>(d_);
    std::vector<double> out(d_ * d_);
    cblas_dgemm(CblasRowMajor, transposed ? CblasTrans : CblasNoTrans, CblasNoTrans, d, d, d, 1, x.data(), d, y.data(),
                d, 0, out.data(), d);
    return out;
  }
  void project(std::vector<double>& x) const {  // X <- J^T X J for symmetric X
    std::vector<double> row(d_);
    double all = 0;
    for (size_t i = 0; i < d_; ++i)
      for (size_t k = 0; k < d_; ++k) row[i] += b_[k] * x[i * d_ + k];
    for (size_t i = 0; i < d_; ++i) all += b_[i] * row[i];
    for (size_t i = 0; i < d_; ++i)
      for (size_t k = 0; k < d_; ++k) x[i * d_ + k] += all - row[i] - row[k];
  }
  const std::vector<Mixing>& mixing_;
  const std::vector<double>&b_, &v_;
  double period_;
  size_t d_;
};

constexpr size_t most_nodes = 256;  // of a graph: a few dozen products of D x D matrices

}  // namespace

void Moments::slot(const LinearSlot& s) {
  expects(s.h.size() == n_ && s.mu.size() == n_ && s.sigma2.size() == n_ && s.p.size() == n_, "values of all workers");
  // diagonal first: it needs the means before the slot
  std::vector<double> diagonal(n_), keep(n_);
  bool shrinks = false;
  for (size_t i = 0; i < n_; ++i) {
    const double step = s.eta * s.h[i], p = s.p[i], g = s.h[i] * m_[i] + s.mu[i];
    diagonal[i] =
        (1 - 2 * p * step + p * step * step) * c_[i * n_ + i] + s.eta * s.eta * (p * s.sigma2[i] + p * (1 - p) * g * g);
    keep[i] = 1 - p * step;
    shrinks = shrinks || step != 0;
    m_[i] -= s.eta * p * g;
  }
  if (shrinks)
    for (size_t i = 0; i < n_; ++i)
      for (size_t k = 0; k < n_; ++k) c_[i * n_ + k] *= keep[i] * keep[k];
  for (size_t i = 0; i < n_; ++i) c_[i * n_ + i] = diagonal[i];
}

void Moments::average(const Groups& g) { expand(g, node_means(g, m_), block_means(g, c_, n_), m_, c_); }

void Moments::mix(const Groups& top, const Mixing& h) {
  expand(top, mixed_means(h, node_means(top, m_)), mixed(h, block_means(top, c_, n_)), m_, c_);
}

void Moments::act(const Network& network, const Action& action) {
  if (action.kind == Action::Kind::tier) {
    const Groups& tier = network.tiers()[static_cast<size_t>(action.tier)];
    action.classes.empty() ? average(tier) : average(acting(tier, network.spec().tiers[0], action));
  }
  if (action.kind == Action::Kind::graph) mix(network.top(), network.mixing()[static_cast<size_t>(action.phase)]);
}

double Moments::mean_of(const std::vector<double>& a) const {
  return std::inner_product(a.begin(), a.end(), m_.begin(), 0.0);
}

double Moments::variance_of(const std::vector<double>& a) const {
  double sum = 0;
  for (size_t i = 0; i < n_; ++i) {
    double row = 0;
    for (size_t k = 0; k < n_; ++k) row += c_[i * n_ + k] * a[k];
    sum += a[i] * row;
  }
  return sum;
}

double Moments::dispersion(const std::vector<double>& a) const {
  const double u = mean_of(a);
  double sum = -variance_of(a);
  for (size_t i = 0; i < n_; ++i) sum += a[i] * (c_[i * n_ + i] + (m_[i] - u) * (m_[i] - u));
  return sum;
}

std::vector<double> Moments::node_squares(const Groups& g) const {
  const auto z = node_means(g, m_);
  std::vector<double> squares(z.size());
  for (size_t l = 0; l < z.size(); ++l) {
    double variance = 0;
    for (auto k = g.begin[l]; k < g.begin[l + 1]; ++k)
      for (auto o = g.begin[l]; o < g.begin[l + 1]; ++o) {
        const auto i = static_cast<size_t>(k), j = static_cast<size_t>(o);
        variance +=
            g.weight[i] * g.weight[j] * c_[static_cast<size_t>(g.member[i]) * n_ + static_cast<size_t>(g.member[j])];
      }
    squares[l] = variance + z[l] * z[l];
  }
  return squares;
}

// sum over children of mass * E x^2, minus the same of their parents
std::vector<double> Moments::split(const Network& network) const {
  const auto& a = network.weights();
  std::vector<double> parts;
  double below = 0;
  for (size_t i = 0; i < n_; ++i) below += a[i] * (c_[i * n_ + i] + m_[i] * m_[i]);
  for (const Groups& tier : network.tiers()) {
    const auto squares = node_squares(tier);
    const double here = std::inner_product(squares.begin(), squares.end(), tier.mass.begin(), 0.0);
    parts.push_back(std::max(0.0, below - here));
    below = here;
  }
  if (network.top().nodes() > 1) {
    const double u = mean_of(a);
    parts.push_back(std::max(0.0, below - variance_of(a) - u * u));
  }
  return parts;
}

double LinearDispersion::total() const { return std::accumulate(part.begin(), part.end(), 0.0); }

LinearDispersion linear_dispersion(const Network& network) {
  const NetworkSpec& spec = network.spec();
  const std::vector<double> rates = step_rates(spec);
  const auto& a = network.weights();
  const size_t n = a.size();
  LinearDispersion d;
  if (network.top().nodes() > 1 && network.mixing().empty())
    return {{}, "the models of the top nodes drift apart without end"};

  // Tiers: reset every period; noise of a slot that the node below adds to its distance from the node
  std::vector<double> below = a;  // weight of the node under the tier that worker i is in
  for (size_t k = 0; k < spec.tiers.size(); ++k) {
    const Groups& tier = network.tiers()[k];
    double distance = 0;
    for (size_t i = 0; i < n; ++i) {
      const double mass = tier.mass[static_cast<size_t>(tier.node_of[i])];
      const auto period = static_cast<double>(spec.tiers[k].period_of(tier.node_of[i]));
      if (a[i] > 0) distance += a[i] * a[i] * rates[i] * (1 / below[i] - 1 / mass) * (period - 1) / 2;
      below[i] = mass;
    }
    d.part.push_back(std::max(0.0, distance));
  }
  if (network.top().nodes() == 1) return d;

  // The graph: means of the top nodes gain noise v_d a slot and are mixed every `period` slots.
  const Groups& top = network.top();
  std::vector<double> v(static_cast<size_t>(top.nodes()));
  for (size_t l = 0; l < v.size(); ++l)
    for (auto k = top.begin[l]; k < top.begin[l + 1]; ++k) {
      const auto at = static_cast<size_t>(k);
      v[l] += top.weight[at] * top.weight[at] * rates[static_cast<size_t>(top.member[at])];
    }
  for (const Mixing& h : network.mixing())
    if (balance_defect(h, top.mass) > 1e-9) return {{}, "the mixing matrix does not keep the weighted mean"};
  if (v.size() > most_nodes) return {{}, fmt::format("more than {} top nodes", most_nodes)};
  const Cycle cycle{network.mixing(), top.mass, v, static_cast<double>(spec.graph->period)};
  const auto fixed = cycle.fixed_point();
  if (fixed.empty()) return {{}, "the mixing matrix does not contract"};
  d.part.push_back(cycle.walk(fixed).second);
  return d;
}

}  // namespace orrery
