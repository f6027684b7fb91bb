// Whole runs of voting methods written out in float64, one worker and one number after the other (signsgd-fv.md 3, 7).
#pragma once

#include <functional>

#include "tests/laws/run_helpers.hpp"

namespace orrery::test {

using Numbers = std::vector<double>;        // (P)
using NumbersOfAll = std::vector<Numbers>;  // (workers)

inline int sign(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

// Start at 0.25 everywhere; whatever the model, single bits decide, so steps are short and few.
inline Trial voting_trial(Trial s, const std::string& keys, int64_t steps) {
  s.steps = steps;
  s.kind = "sign-vote";
  s.learning_rate = 0.01;
  s.algorithm = keys;
  s.metrics = "\"vote_error\", \"bits_up\", \"bits_down\"";
  s.every = 1;
  s.noise = 3;
  return s;
}

// The shared model after the last round; direction(t, gradients, x) is what the round makes of them.
inline Numbers path_end(const Trial& s, const std::string& device,
                        const std::function<Numbers(int64_t, const NumbersOfAll&, const Numbers&)>& direction) {
  const Oracle oracle(s, device);
  Numbers x(static_cast<size_t>(oracle.parameters()), std::stod(s.init));
  for (int64_t t = 0; t < s.steps; ++t) {
    NumbersOfAll g;
    for (int64_t i = 0; i < s.workers; ++i) g.push_back(oracle.gradient(i, t, x.data()));
    const Numbers d = direction(t, g, x);
    for (size_t j = 0; j < x.size(); ++j) x[j] -= s.learning_rate * d[j];
  }
  return x;
}

// sign( sum_m w_m sign(g_m) )
inline Numbers weighted_signs(const NumbersOfAll& g, const Numbers& w) {
  Numbers u(g[0].size());
  for (size_t j = 0; j < u.size(); ++j) {
    double sum = 0;
    for (size_t i = 0; i < g.size(); ++i) sum += w[i] * sign(g[i][j]);
    u[j] = sign(sum);
  }
  return u;
}
inline Numbers majority(const NumbersOfAll& g) { return weighted_signs(g, Numbers(g.size(), 1.0)); }

inline Numbers first_worker(const std::vector<double>& models, size_t parameters) {
  return {models.begin(), models.begin() + static_cast<std::ptrdiff_t>(parameters)};
}

}  // namespace orrery::test
