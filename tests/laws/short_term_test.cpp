// The short-term model ([model] short_term, diffusion-flatness.md 3): gradients with Hessians frozen at the start, against the oracle in float64.
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::Trial;
using Numbers = std::vector<double>;

class ShortTerm : public test::OnEachCase {
 protected:
  static constexpr int64_t agents = 5;

  // Agents over a ring that start at point(); arms as given.
  Trial at_point(const std::string& kind, int64_t steps, const std::string& arms) const {
    Trial s = trial(agents).with_steps(steps);
    s.kind = kind;
    s.partition = "kind = \"iid\"";  // as many samples for everyone
    s.init = "\"default\"";
    s.learning_rate = softmax() ? 0.3 : 0.05;
    s.network = "[network.graph]\nkind = \"ring\"\nperiod = 1";
    s.metrics = "\"train_loss\", \"excess_risk\"";
    s.arms = arms;
    if (point_.empty()) {
      Trial none = s.with_steps(0);
      none.arms.clear();
      none.metrics = "\"train_loss\"";
      const auto size = final_models(none).size() / agents;
      for (size_t j = 0; j < size; ++j) point_.push_back(0.02 * static_cast<double>(j % 9) - 0.08);
      write_npy(folder_.file("start.npy"), {static_cast<int64_t>(size)}, point_);
    }
    s.algorithm = fmt::format("start = \"{}\"", folder_.file("start.npy"));
    return s;
  }
  const Numbers& point() const { return point_; }

 private:
  mutable Numbers point_;
  test::Folder folder_;
};
ORRERY_ON_CASES(ShortTerm, {"quadratic", "softmax"}, {"fp64", "fp32"});

const char* const frozen = "[[arm]]\nname = \"frozen\"\nmodel.short_term = true\n";

// Quadratics have one Hessian everywhere: the model is the risk itself, step for step and in its objective.
TEST_P(ShortTerm, IsTheRiskItselfForQuadratics) {
  if (softmax()) GTEST_SKIP() << "not quadratic";
  for (const char* kind : {"centralized", "consensus", "diffusion", "diffusion-cta"}) {
    SCOPED_TRACE(kind);
    Trial s = at_point(kind, 12, std::string("[[arm]]\nname = \"risk\"\n") + frozen);
    s.algorithm += "\nmomentum = 0.5";
    s.every = 3;
    const RunResult r = result(s);
    EXPECT_LE(test::difference(test::models(r.arms[1]), test::models(r.arms[0])), 50 * tolerance());
    for (size_t metric : {size_t{0}, size_t{1}})
      EXPECT_LE(test::difference(r.arms[1].values[metric][0], r.arms[0].values[metric][0]), 200 * tolerance());
  }
}

// Diffusion written out with g = ghat(w*) + H_k (w - w*); H_k by central differences of the exact gradient, good to about 1e-9.
TEST_P(ShortTerm, StepsWithFrozenHessians) {
  const Trial s = at_point("diffusion", 4, frozen);
  Trial oracle_of = s;
  oracle_of.arms.clear();
  const test::Oracle oracle(oracle_of, device());
  const size_t p = point().size();
  std::vector<Numbers> w(agents, point());
  for (int64_t t = 0; t < s.steps; ++t) {
    std::vector<Numbers> moved = w;
    for (size_t k = 0; k < agents; ++k) {
      const auto worker = static_cast<int64_t>(k);
      Numbers up = point(), down = point();
      const double h = 1e-4;
      for (size_t j = 0; j < p; ++j) {
        const double e = w[k][j] - point()[j];
        up[j] += h * e, down[j] -= h * e;
      }
      const auto g = oracle.gradient(worker, t, point().data());
      const auto above = oracle.gradient(worker, -1, up.data()), below = oracle.gradient(worker, -1, down.data());
      for (size_t j = 0; j < p; ++j) moved[k][j] -= s.learning_rate * (g[j] + (above[j] - below[j]) / (2 * h));
    }
    for (size_t k = 0; k < agents; ++k)  // a ring: everyone and two neighbours, 1/3 each
      for (size_t j = 0; j < p; ++j)
        w[k][j] = (moved[k][j] + moved[(k + 1) % agents][j] + moved[(k + agents - 1) % agents][j]) / 3;
  }
  Numbers want;
  for (const auto& row : w) want.insert(want.end(), row.begin(), row.end());
  EXPECT_LE(test::difference(final_models(s), want), std::max(1e-7, 20 * tolerance()));
}

// The objective is the parabola that touches f at w* with its slope and its curvature.
TEST_P(ShortTerm, ObjectiveIsTheSecondOrderExpansion) {
  const Trial s = at_point("consensus", 6, frozen);
  Trial oracle_of = s;
  oracle_of.arms.clear();
  const test::Oracle oracle(oracle_of, device());
  const RunResult r = result(s);
  const auto u = test::weighted_mean(test::models(r.arms[0]), Numbers(agents, 1.0 / agents));
  const auto f = [&](double along) {  // at w* + along (u - w*)
    Numbers x = point();
    for (size_t j = 0; j < x.size(); ++j) x[j] += along * (u[j] - x[j]);
    double sum = 0;
    for (int64_t k = 0; k < agents; ++k) sum += oracle.loss(k, x.data()) / agents;
    return sum;
  };
  const double h = 1e-3, up = f(h), down = f(-h), here = f(0);
  const double want = here + (up - down) / (2 * h) + (up - 2 * here + down) / (2 * h * h);
  EXPECT_NEAR(r.arms[0].values[0][0].back(), want, std::max(1e-6, 20 * tolerance()) * here);
  EXPECT_NEAR(r.arms[0].values[0][0].front(), here, 20 * tolerance() * here);
  if (softmax()) EXPECT_GT(std::abs(f(1) - want), 1e-4 * here) << "the risk itself is no parabola";
}

// Samples that weigh differently in f have no common rows.
TEST_P(ShortTerm, RefusesUnevenData) {
  if (!softmax()) GTEST_SKIP() << "no data";
  Trial s = at_point("diffusion", 2, frozen);
  s.network = "weights = [1, 2, 3, 1, 1]\n" + s.network;
  s.arms = "[[arm]]\nname = \"risk\"\n" + s.arms;  // an arm that could run: nothing does
  try {
    result(s);
    ADD_FAILURE() << "ran";
  } catch (const ExperimentError& e) {
    EXPECT_NE(std::string(e.what()).find("model.short_term: needs samples that all weigh the same"), std::string::npos)
        << e.what();
    EXPECT_TRUE(std::string(e.what()).starts_with("law.toml:")) << e.what();
  }
}

}  // namespace
}  // namespace orrery
