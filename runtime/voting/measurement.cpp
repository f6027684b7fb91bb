#include "runtime/voting/measurement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/sign_errors.hpp"

namespace orrery {
namespace {

constexpr int64_t most_classes = 8;

void add_mean(double& mean, double x, int64_t n) { mean += (x - mean) / static_cast<double>(n); }
void add_means(std::vector<double>& means, const std::vector<double>& x, int64_t n) {
  means.resize(x.size());
  for (size_t i = 0; i < x.size(); ++i) add_mean(means[i], x[i], n);
}

// What signs miss of a vector on the device; the decision's first, then the workers'.
class Misses {
 public:
  Misses(const Context& ctx, const SignsIn& decided, const SignsIn& sent)
      : ctx_(ctx), decided_(decided), sent_(sent), vector_(ctx, sent.coordinates), sums_(ctx, 1 + sent.rows()) {}
  std::vector<double> of(const std::vector<double>& g) {
    vector_.assign(ctx_, g);
    const MatrixView<const double> row = vector_.view(1, decided_.coordinates);
    sign_errors(ctx_, decided_, row, sums_.view(1, 1));
    sign_errors(ctx_, sent_, row, MatrixView<double>(sums_.data() + 1, sent_.rows(), 1, ctx_.backend));
    return sums_.to_host(ctx_);
  }

 private:
  const Context& ctx_;
  SignsIn decided_, sent_;
  Buffer<double> vector_, sums_;
};

// coordinates with a sign, by ascending |g|; equal ones in their order
std::vector<size_t> by_size(const std::vector<double>& g) {
  std::vector<size_t> order;
  for (size_t n = 0; n < g.size(); ++n)
    if (g[n] != 0) order.push_back(n);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return std::abs(g[a]) < std::abs(g[b]); });
  return order;
}

}  // namespace

void VotePhase::add(const VoteLook& look) {
  add_means(agreement, look.agreement, ++looks);
  if (look.p.empty()) return;
  add_means(p, look.p, ++references);
  add_means(p_weighted, look.p_weighted, references);
  add_mean(decoding_error, look.decoding_error, references);
  add_mean(vote_error, look.vote_error, references);
  decoded += look.decoded;
  classes.resize(std::max(classes.size(), look.classes.size()));
  for (size_t c = 0; c < look.classes.size(); ++c) {
    add_mean(classes[c].share, look.classes[c].share, references);
    add_mean(classes[c].weight, look.classes[c].weight, references);
    add_mean(classes[c].decoding_error, look.classes[c].decoding_error, references);
    add_means(classes[c].p, look.classes[c].p, references);
  }
}

void look_at_errors(const Context& ctx, const std::vector<double>& gradient, const SignsIn& decided,
                    const SignsIn& sent, VoteLook& look) {
  const auto norm =
      std::accumulate(gradient.begin(), gradient.end(), 0.0, [](double sum, double g) { return sum + std::abs(g); });

  if (!std::isfinite(norm)) {  // the run ends
    look.vote_error = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  const auto order = by_size(gradient);
  look.decoded = static_cast<int64_t>(order.size());
  if (order.empty()) return;
  Misses misses(ctx, decided, sent);
  const auto n = static_cast<double>(order.size());

  // weighted by the gradient
  const auto weighted = misses.of(gradient);
  look.vote_error = weighted[0] / norm;
  for (size_t m = 1; m < weighted.size(); ++m) look.p_weighted.push_back(weighted[m] / norm);

  // by classes, each counted on its own; all of them together are the shares
  std::vector<double> missed(weighted.size()), signs(gradient.size());
  const auto classes = static_cast<size_t>(std::min(most_classes, look.decoded));
  for (size_t c = 0; c < classes; ++c) {
    VoteClass part;
    const size_t first = c * order.size() / classes, end = (c + 1) * order.size() / classes;
    std::fill(signs.begin(), signs.end(), 0.0);
    for (size_t k = first; k < end; ++k) {
      const double g = gradient[order[k]];
      signs[order[k]] = g > 0 ? 1 : -1;
      part.weight += std::abs(g) / norm;
    }
    const auto counts = misses.of(signs);
    const auto size = static_cast<double>(end - first);
    part.share = size / n;
    part.decoding_error = counts[0] / size;
    for (size_t m = 0; m < counts.size(); ++m) {
      missed[m] += counts[m];
      if (m > 0) part.p.push_back(counts[m] / size);
    }
    look.classes.push_back(std::move(part));
  }
  look.decoding_error = missed[0] / n;
  for (size_t m = 1; m < missed.size(); ++m) look.p.push_back(missed[m] / n);
}

}  // namespace orrery
