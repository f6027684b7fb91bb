// Sign descent on quadratics, read off whole runs round by round, against the identity and the bound of signsgd-fv.md 5.4 (V13, V14), and
// learned weights that decide as the majority does (V2).
#include <numeric>

#include "runtime/theory/sign_vote/convergence.hpp"
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

class SignDescent : public test::OnEachCase {
 protected:
  // f = 1/2 sum_n x_n^2 / n in 200 dimensions from a start at 0.77880 everywhere, 15 workers with unequal batches: f_0 = 1.7826 and with 500 rounds
  // the bound of the digest's example.
  static constexpr size_t N = 200;
  static constexpr double start = 0.77880;
  int64_t rounds() const { return device() == "cpu" ? 500 : 60; }  // the emulation of a GPU is slow

  std::string text(double step, const std::string& vote) const {
    std::string curvature, metrics = "\"train_loss\"";
    for (size_t n = 0; n < N; ++n) {
      curvature += fmt::format("{:.17g}, ", 1 / static_cast<double>(n + 1));
      metrics += fmt::format(", \"mean_parameter_{}\"", n);
    }
    return fmt::format(
        "steps = {}\nprecision = \"{}\"\nseed = 3\n[model]\nkind = \"quadratic\"\ncurvature = [{}]\nnoise = 0.05\n"
        "init = {}\n[network]\nworkers = 15\n[algorithm]\nkind = \"sign-vote\"\nvote = \"{}\"\nbatch_mode = 2\n"
        "learning_rate = {:.17g}\n[record]\nevery = 1\nmetrics = [{}]\n",
        rounds(), GetParam().precision, curvature, start, vote, step, metrics);
  }
};
ORRERY_ON_CASES(SignDescent, {"quadratic"}, {"fp64", "fp32"});

struct Path {
  double f_start = 0, f_end = 0, weighted = 0;  // weighted: sum_t g_t.u_t
  double no_step = 0, wrong = 0;                // shares of the coordinates and rounds
};

// Every model of the run, its gradient and the step that it took.
Path follow(const RunResult& r, size_t N, double step) {
  const auto& values = r.arms[0].values;
  const size_t rounds = r.record_steps.size() - 1;
  Path p;
  p.f_start = values[0][0].front(), p.f_end = values[0][0].back();
  for (size_t n = 0; n < N; ++n) {
    const auto& x = values[n + 1][0];
    for (size_t t = 0; t < rounds; ++t) {
      const double g = x[t] / static_cast<double>(n + 1), u = std::round((x[t] - x[t + 1]) / step);
      p.weighted += g * u;
      p.no_step += (u == 0) / static_cast<double>(N * rounds);
      p.wrong += (g * u < 0) / static_cast<double>(N * rounds);
    }
  }
  return p;
}

// V13: sum_t g_t.u_t = (f_0 - f_T)/delta + T delta |L|_1/2, for any vote. Tolerance 1e-10 in float64; in float32 a model that lies off its path by
// rounding changes u by that over delta.
TEST_P(SignDescent, TheIdentityOfQuadratics) {
  double norm1 = 0;
  for (size_t n = 1; n <= N; ++n) norm1 += 1 / static_cast<double>(n);
  for (const char* vote : {"majority", "fd"}) {
    const double step = 0.02;
    const Path p = follow(run_text(text(step, vote)), N, step);
    EXPECT_EQ(p.no_step, 0) << "a round without a step is outside of the identity";
    EXPECT_GT(p.wrong, 0.01) << "nothing was decoded wrong";
    const sign_vote::Descent d{.norm1_L = norm1, .rounds = static_cast<double>(rounds()), .step = step};
    const double want = sign_vote::quadratic_weighted_gradients(p.f_start, p.f_end, d);
    EXPECT_NEAR(p.weighted, want, (GetParam().precision == "fp64" ? 1e-10 : 1e-4) * want) << vote;
    EXPECT_NEAR(p.f_start, 1.7826, 1e-4);
    EXPECT_LT(p.f_end, 0.5 * p.f_start);
  }
}

// V14: the average of g.u lies below gap/(delta T) + delta |L|_1/2, which is smallest at the best step: 0.20473 for 500 rounds, as in the digest's example.
TEST_P(SignDescent, WeightedGradientsStayBelowTheBound) {
  double norm1 = 0;
  for (size_t n = 1; n <= N; ++n) norm1 += 1 / static_cast<double>(n);
  sign_vote::Descent d{.gap = 0.5 * start * start * norm1, .norm1_L = norm1, .rounds = static_cast<double>(rounds())};
  const double best = sign_vote::best_step(d);
  d.step = best;
  const double least = sign_vote::weighted_gradient_bound(d);
  const bool example = rounds() == 500;
  if (example) {
    EXPECT_NEAR(least, 0.20473, 5e-6);
  }
  for (const double factor : {0.5, 1.0, 2.0}) {
    d.step = factor * best;
    const Path p = follow(run_text(text(d.step, "majority")), N, d.step);
    const double average = p.weighted / d.rounds, bound = sign_vote::weighted_gradient_bound(d);
    EXPECT_LE(average, bound) << factor;
    EXPECT_GE(bound, least * (1 - 1e-12)) << factor;
    if (example && factor == 1) {
      EXPECT_GT(average, 0.97 * bound) << "the example of the digest is at 0.989 of it";
    }
  }
}

// V2: with equal batches the weights per worker differ by so little that an odd number of workers decides as its majority does, round after round, on
// the data of GM-10; weights per coordinate do not.
TEST(SignDescentOnGm10, WeightsPerWorkerFollowTheMajority) {
  const RunResult r = run(parse_experiment(
      "steps = 200\n[data]\nname = \"gaussian-mixture\"\nclusters = 10\nclasses = 10\ndimension = 32\n"
      "spread = 0.565685424949238\nnoise = 1.0\ntrain = 20000\ntest = 100\n"
      "[model]\nkind = \"mlp\"\nhidden = [64]\nactivation = \"tanh\"\ninit = \"normal\"\n[network]\nworkers = 15\n"
      "[algorithm]\nkind = \"sign-vote\"\nlearning_rate = 1e-4\nbatch_mode = 1\nwarmup = 20\n"
      "[record]\nevery = 10\nmetrics = [\"train_loss\", \"vote_agreement\"]\n"
      "[[arm]]\nname = \"majority\"\nalgorithm.vote = \"majority\"\n[[arm]]\nname = \"per worker\"\nalgorithm.vote = "
      "\"fv-worker\"\n"
      "[[arm]]\nname = \"per coordinate\"\nalgorithm.vote = \"fv\"\n",
      "law.toml", "cpu"));
  EXPECT_EQ(r.arms[1].values, r.arms[0].values);  // losses and agreements at every tenth round
  EXPECT_EQ(r.arms[1].mean_models, r.arms[0].mean_models);
  EXPECT_NE(r.arms[2].values, r.arms[0].values);
  EXPECT_LT(r.arms[0].values[0][0].back(), 0.95 * r.arms[0].values[0][0].front());
}

}  // namespace
}  // namespace orrery
