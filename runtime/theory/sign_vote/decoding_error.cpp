#include "runtime/theory/sign_vote/decoding_error.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "kernels/core/error.hpp"

namespace orrery::sign_vote {
namespace {

constexpr double tie = 1e-13;
constexpr double most_patterns = 1048576;
constexpr size_t longest_recursion = 20000;

struct Pattern {
  double score, probability;
};

void check_error(double p) { expects(p > 0 && p < 1, "error probabilities inside (0, 1)"); }
void check_weight(double v) { expects(std::isfinite(v), "finite weights"); }

// Bin(n, p) by the ratio of neighbours from the mode outwards.
std::vector<double> binomial(int64_t n, double p) {
  std::vector<double> f(static_cast<size_t>(n + 1));
  const auto mode = static_cast<int64_t>(static_cast<double>(n) * p);
  const double odds = p / (1 - p);
  f[static_cast<size_t>(mode)] = 1;
  for (int64_t k = mode; k < n; ++k)
    f[static_cast<size_t>(k + 1)] =
        f[static_cast<size_t>(k)] * odds * static_cast<double>(n - k) / static_cast<double>(k + 1);
  for (int64_t k = mode; k > 0; --k)
    f[static_cast<size_t>(k - 1)] =
        f[static_cast<size_t>(k)] / odds * static_cast<double>(k) / static_cast<double>(n - k + 1);
  double sum = 0;
  for (const double x : f) sum += x;
  for (double& x : f) x /= sum;
  return f;
}

double patterns(const Group& g) { return static_cast<double>(g.workers) + 1; }

// The groups that are heard (weights not 0) in two parts with about as many patterns each.
std::pair<std::vector<Group>, std::vector<Group>> halves(std::vector<Group> groups) {
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) { return a.workers > b.workers; });
  std::pair<std::vector<Group>, std::vector<Group>> out;
  double first = 1, second = 1;
  for (const Group& g : groups) {
    if (g.weight == 0) continue;
    const bool to_first = first <= second;
    (to_first ? out.first : out.second).push_back(g);
    (to_first ? first : second) *= patterns(g);
  }
  return out;
}

double patterns(const std::vector<Group>& groups) {
  double product = 1;
  for (const Group& g : groups) product *= patterns(g);
  return product;
}

// All patterns of the groups, by ascending score.
std::vector<Pattern> scores(const std::vector<Group>& groups) {
  std::vector<Pattern> all{{0, 1}};
  for (const Group& g : groups) {
    const std::vector<double> wrong = binomial(g.workers, g.p);
    std::vector<Pattern> next;
    next.reserve(all.size() * wrong.size());
    for (const Pattern& a : all)
      for (size_t k = 0; k < wrong.size(); ++k)
        next.push_back({a.score + g.weight * static_cast<double>(g.workers - 2 * static_cast<int64_t>(k)),
                        a.probability * wrong[k]});
    all = std::move(next);
  }
  std::sort(all.begin(), all.end(), [](const Pattern& a, const Pattern& b) { return a.score < b.score; });
  return all;
}

void check(const std::vector<Group>& groups) {
  for (const Group& g : groups) {
    expects(g.workers >= 1, "groups of one worker at least");
    check_error(g.p);
    check_weight(g.weight);
  }
}

}  // namespace

std::vector<Group> groups_of(const std::vector<double>& p, const std::vector<double>& v) {
  expects(!p.empty(), "one worker at least");
  expects(p.size() == v.size(), "as many weights as error probabilities");
  std::vector<Group> groups;
  std::map<std::pair<double, double>, size_t> known;
  for (size_t m = 0; m < p.size(); ++m) {
    check_error(p[m]);
    check_weight(v[m]);
    const auto [at, is_new] = known.try_emplace({p[m], v[m]}, groups.size());
    if (is_new)
      groups.push_back({1, p[m], v[m]});
    else
      ++groups[at->second].workers;
  }
  return groups;
}

double majority_error(const std::vector<double>& p) {
  expects(!p.empty(), "one worker at least");

  // wrong[k] = P[k of the workers so far are wrong]
  std::vector<double> wrong(p.size() + 1);
  wrong[0] = 1;
  for (size_t m = 0; m < p.size(); ++m) {
    check_error(p[m]);
    for (size_t k = m + 1; k > 0; --k) wrong[k] = (1 - p[m]) * wrong[k] + p[m] * wrong[k - 1];
    wrong[0] *= 1 - p[m];
  }

  double error = 0;
  for (size_t k = p.size(); 2 * k > p.size(); --k) error += wrong[k];
  if (p.size() % 2 == 0) error += wrong[p.size() / 2] / 2;
  return error;
}

bool enumerable(const std::vector<Group>& groups) {
  const auto [a, b] = halves(groups);
  return patterns(a) <= most_patterns && patterns(b) <= most_patterns;
}

double enumerated_error_given(const std::vector<Group>& groups, double head_start) {
  check(groups);
  check_weight(head_start);
  const auto [first, second] = halves(groups);
  expects(patterns(first) <= most_patterns && patterns(second) <= most_patterns, "few enough patterns to enumerate");
  double total = std::abs(head_start);
  for (const Group& g : groups) total += std::abs(g.weight) * static_cast<double>(g.workers);

  // from the largest score of the first half down, ever more of the second half lose or tie
  const std::vector<Pattern> a = scores(first), b = scores(second);
  double error = 0, below = 0, not_above = 0;
  size_t lost = 0, reached = 0;
  for (auto x = a.rbegin(); x != a.rend(); ++x) {
    const double start = head_start + x->score;
    for (; lost < b.size() && start + b[lost].score < -tie * total; ++lost) below += b[lost].probability;
    for (; reached < b.size() && start + b[reached].score <= tie * total; ++reached)
      not_above += b[reached].probability;
    error += x->probability * (below + not_above) / 2;
  }
  return error;
}

double enumerated_error(const std::vector<Group>& groups) {
  expects(!groups.empty(), "one worker at least");
  return enumerated_error_given(groups, 0);
}

double enumerated_error(const std::vector<double>& p, const std::vector<double>& v) {
  return enumerated_error(groups_of(p, v));
}

std::optional<double> decoding_error(const std::vector<double>& p, const std::vector<double>& v) {
  const std::vector<Group> groups = groups_of(p, v);
  if (enumerable(groups)) return enumerated_error(groups);

  // equal weights are a majority vote, or its opposite
  const bool majority = std::all_of(v.begin(), v.end(), [&](double x) { return x == v[0] && x != 0; });
  if (!majority || p.size() > longest_recursion) return std::nullopt;
  return v[0] > 0 ? majority_error(p) : 1 - majority_error(p);
}

}  // namespace orrery::sign_vote
