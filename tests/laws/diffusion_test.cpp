// Decentralised SGD (diffusion-flatness.md 3): whole runs against the updates written out in float64, and the identities between strategies.
#include <functional>

#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::Trial;
using Numbers = std::vector<double>;
using Matrix = std::vector<Numbers>;  // a[l][k]: what k gives to l

class Diffusion : public test::OnEachCase {
 protected:
  Trial strategy(const std::string& kind, const std::string& graph, int64_t agents = 6, int64_t steps = 12) const {
    Trial s = trial(agents).with_steps(steps);
    s.kind = kind;
    s.learning_rate = softmax() ? 0.3 : 0.05;
    s.network = graph.empty() ? "" : "[network.graph]\n" + graph;
    s.metrics = "\"consensus_distance\", \"bits_up\"";
    return s;
  }
  // The models at the end, (agents, P); matrix(t) is the combination of step t.
  Numbers written_out(const Trial& s, double momentum, const std::function<Matrix(int64_t)>& matrix) const {
    const test::Oracle oracle(s, device());
    const auto K = static_cast<size_t>(s.workers), P = static_cast<size_t>(oracle.parameters());
    Matrix w(K, Numbers(P, s.init == "\"zero\"" ? 0 : std::stod(s.init))), b(K, Numbers(P));
    const double eta = s.learning_rate;
    const auto adapt = [&](int64_t t, const Matrix& at) {
      for (size_t k = 0; k < K; ++k) {
        const auto g = oracle.gradient(static_cast<int64_t>(k), t, at[k].data());
        for (size_t j = 0; j < P; ++j) b[k][j] = momentum * b[k][j] + g[j];
      }
    };
    const auto combine = [&](const Matrix& a, const Matrix& x) {
      Matrix y(K, Numbers(P));
      for (size_t k = 0; k < K; ++k)
        for (size_t l = 0; l < K; ++l)
          for (size_t j = 0; j < P; ++j) y[k][j] += a[l][k] * x[l][j];
      return y;
    };
    const auto minus_step = [&](Matrix x) {
      for (size_t k = 0; k < K; ++k)
        for (size_t j = 0; j < P; ++j) x[k][j] -= eta * b[k][j];
      return x;
    };
    const Matrix mean(K, Numbers(K, 1.0 / static_cast<double>(K)));
    for (int64_t t = 0; t < s.steps; ++t) {
      if (s.kind == "diffusion-cta") w = combine(matrix(t), w);
      adapt(t, w);
      if (s.kind == "consensus")
        w = minus_step(combine(matrix(t), w));
      else if (s.kind == "diffusion")
        w = combine(matrix(t), minus_step(w));
      else if (s.kind == "diffusion-cta")
        w = minus_step(w);
      else
        w = combine(mean, minus_step(w));
    }
    Numbers all;
    for (const auto& row : w) all.insert(all.end(), row.begin(), row.end());
    return all;
  }
};
ORRERY_ON_CASES(Diffusion, {"quadratic", "softmax"}, {"fp64", "fp32"});

Matrix path_metropolis(size_t K) {  // ends have one neighbour, the others two
  Matrix a(K, Numbers(K));
  for (size_t k = 0; k < K; ++k) {
    if (k > 0) a[k - 1][k] = 1.0 / 3;
    if (k + 1 < K) a[k + 1][k] = 1.0 / 3;
    a[k][k] = k == 0 || k + 1 == K ? 2.0 / 3 : 1.0 / 3;
  }
  return a;
}
Matrix one_peer(size_t K, size_t hop) {
  Matrix a(K, Numbers(K));
  for (size_t k = 0; k < K; ++k) a[k][k] += 0.5, a[(k + hop) % K][k] += 0.5;
  return a;
}

TEST_P(Diffusion, EveryStrategyAsWrittenOut) {
  for (const char* kind : {"centralized", "consensus", "diffusion", "diffusion-cta"})
    for (const double momentum : {0.0, 0.6}) {
      SCOPED_TRACE(fmt::format("{} {}", kind, momentum));
      Trial s = strategy(kind, "kind = \"path\"\nperiod = 1");
      s.algorithm = fmt::format("momentum = {}", momentum);
      const auto want = written_out(s, momentum, [](int64_t) { return path_metropolis(6); });
      EXPECT_LE(test::difference(final_models(s), want), 20 * tolerance());
    }
}

TEST_P(Diffusion, GraphsThatVaryWithTime) {
  for (const char* kind : {"consensus", "diffusion", "diffusion-cta"}) {
    SCOPED_TRACE(kind);
    const Trial s = strategy(kind, "kind = \"one-peer-exponential\"\nperiod = 1", 4);
    const auto want = written_out(s, 0, [](int64_t t) { return one_peer(4, t % 2 == 0 ? 1 : 2); });
    EXPECT_LE(test::difference(final_models(s), want), 20 * tolerance());
  }
}

// C3: complete averaging from equal starts is the centralized step; C7: for consensus it is not.
TEST_P(Diffusion, CompleteAveragingIsCentralized) {
  const char* const complete = "kind = \"complete\"\nmixing = \"average\"\nperiod = 1";
  const auto central = final_models(strategy("centralized", ""));
  EXPECT_LE(test::difference(final_models(strategy("diffusion", complete)), central), 20 * tolerance());
  EXPECT_GT(test::difference(final_models(strategy("consensus", complete)), central), 1e-4);
}

// C4: combine-then-adapt and adapt-then-combine interleave: from w0 and A w0 with the same draws, A w^CTA_n = w^ATC_n.
TEST_P(Diffusion, CombineThenAdaptInterleavesWithAdaptThenCombine) {
  const Matrix a = path_metropolis(6);
  const auto combined = [&](const Numbers& w) {
    Numbers out(w.size());
    const size_t p = w.size() / 6;
    for (size_t k = 0; k < 6; ++k)
      for (size_t l = 0; l < 6; ++l)
        for (size_t j = 0; j < p; ++j) out[k * p + j] += a[l][k] * w[l * p + j];
    return out;
  };
  Trial cta = strategy("diffusion-cta", "kind = \"path\"\nperiod = 1", 6, 9);
  Trial none = cta;
  none.steps = 0;
  Numbers start(final_models(none).size());
  for (size_t i = 0; i < start.size(); ++i) start[i] = 0.05 * static_cast<double>(i * 7 % 11) - 0.2;
  const test::Folder folder;
  const std::vector<int64_t> shape{6, static_cast<int64_t>(start.size() / 6)};
  write_npy(folder.file("w0.npy"), shape, start);
  write_npy(folder.file("aw0.npy"), shape, combined(start));
  Trial atc = cta;
  atc.kind = "diffusion";
  cta.init = fmt::format("\"{}\"", folder.file("w0.npy"));
  atc.init = fmt::format("\"{}\"", folder.file("aw0.npy"));
  EXPECT_LE(test::difference(combined(final_models(cta)), final_models(atc)), 20 * tolerance());
}

// C6: with doubly stochastic weights the mean moves by the mean gradient, mixing apart: where gradients are linear with one Hessian, the means of
// all strategies are one.
TEST_P(Diffusion, MeansAgreeWithACommonHessian) {
  if (softmax()) GTEST_SKIP() << "gradients that are linear in the model";
  Numbers first;
  for (const char* kind : {"consensus", "diffusion", "centralized"}) {
    Trial s = strategy(kind, "kind = \"ring\"\nperiod = 1");
    s.curvature.assign(18, 0.7);
    const auto mean = test::weighted_mean(final_models(s), Numbers(6, 1.0 / 6));
    if (first.empty()) first = mean;
    EXPECT_LE(test::difference(mean, first), 20 * tolerance()) << kind;
  }
}

// A start file: all agents begin there, and the excess risk counts from the objective there, in what is measured and in what is expected.
TEST_P(Diffusion, RunsFromAFileCountTheExcessRiskFromIt) {
  const Trial plain = strategy("diffusion", "kind = \"ring\"\nperiod = 1", 6, 0);
  const auto size = final_models(plain).size() / 6;
  Numbers point;
  for (size_t j = 0; j < size; ++j) point.push_back(0.01 * static_cast<double>(j % 7) - 0.02);
  const test::Folder folder;
  Trial s = strategy("diffusion", "kind = \"ring\"\nperiod = 1", 6, 8);
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{static_cast<int64_t>(size)}, {1, static_cast<int64_t>(size)}}) {
    write_npy(folder.file("start.npy"), shape, point);
    s.init = "\"default\"";
    s.noise = 0;
    s.every = 4;
    s.algorithm = fmt::format("start = \"{}\"", folder.file("start.npy"));
    s.metrics = "\"excess_risk\", \"excess_risk_mean\", \"worker_train_loss\", \"train_loss\"";
    const RunResult r = result(s);
    const auto at = [&](size_t metric, size_t record) { return r.arms[0].values[metric][0][record]; };
    const double slack = 20 * tolerance() * at(2, 0);
    EXPECT_NEAR(at(0, 0), 0, slack);
    for (size_t record : {size_t{1}, size_t{2}}) {
      EXPECT_NEAR(at(0, record), at(2, record) - at(3, 0), slack);
      EXPECT_NEAR(at(1, record), at(3, record) - at(3, 0), slack);
    }
    s.steps = 0;
    const auto start = test::models(result(s).arms[0]);
    for (size_t j = 0; j < start.size(); ++j) ASSERT_NEAR(start[j], point[j % size], 1e-8);
    s.steps = 8;
    if (softmax()) continue;
    for (const auto& row : r.theory.tables.at(0).rows) {
      ASSERT_TRUE(row.predicted && row.measured);
      EXPECT_NEAR(*row.measured, *row.predicted, 100 * tolerance() * at(2, 0)) << row.quantity;
    }
  }
}

// The way of mixing can be chosen; both give the same up to the order of sums.
TEST_P(Diffusion, MixesSparselyOrDenselyAsTold) {
  for (const char* kind : {"consensus", "diffusion", "diffusion-cta"}) {
    const std::string graph = "kind = \"ring\"\nperiod = 1\nmixing_path = ";
    const auto sparse = final_models(strategy(kind, graph + "\"sparse\"")),
               dense = final_models(strategy(kind, graph + "\"dense\""));
    EXPECT_EQ(final_models(strategy(kind, "kind = \"ring\"\nperiod = 1")), sparse);  // few links: by cost
    EXPECT_LE(test::difference(sparse, dense), 20 * tolerance());
    EXPECT_NE(sparse, dense) << kind << ": both took one path";
  }
}

// Alone and among other replicas and arms, on any number of threads.
TEST_P(Diffusion, TheSameBitsAloneAndAmongOthers) {
  const Trial s = strategy("consensus", "kind = \"ring\"\nperiod = 1");
  const auto alone = final_models(s);
  for (const int n : {1, 3}) {
    set_threads(n);
    EXPECT_EQ(final_models(s), alone);
  }
  set_threads(0);
  Trial many = s;
  many.replicas = 3;
  many.arms = "[[arm]]\nname = \"a\"\nnetwork.graph.kind = \"path\"\n[[arm]]\nname = \"b\"\n";
  const RunResult r = result(many);
  const auto among = test::models(r.arms[1]);
  EXPECT_EQ(Numbers(among.begin(), among.begin() + static_cast<std::ptrdiff_t>(alone.size())), alone);
}

// Weights by samples differ from replica to replica: every replica averages with its own.
TEST_P(Diffusion, ReplicasAverageWithTheirOwnWeights) {
  if (!softmax()) GTEST_SKIP() << "samples are of data";
  Trial s = strategy("centralized", "");
  s.network = "weights = \"samples\"";
  s.replicas = 2;
  const auto both = test::models(result(s).arms[0]);
  s.replicas = 1;
  for (const int64_t k : {0, 1}) {
    Trial alone = s;
    alone.seed = s.seed + k;
    const auto want = final_models(alone);
    const auto at = both.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(k) * want.size());
    EXPECT_EQ(Numbers(at, at + static_cast<std::ptrdiff_t>(want.size())), want) << "replica " << k;
  }
}

// A model over every directed link of the graph in a step; centralized: one up and one down an agent.
TEST_P(Diffusion, LedgerCountsBits) {
  const auto bits = [&](const std::string& kind, const std::string& graph) {
    const RunResult r = result(strategy(kind, graph));
    return r.arms[0].values[1][0].back() / (GetParam().precision == "fp64" ? 64 : 32) /
           static_cast<double>(test::models(r.arms[0]).size() / 6);
  };
  EXPECT_EQ(bits("diffusion", "kind = \"ring\"\nperiod = 1"), 12 * 12);
  EXPECT_EQ(bits("consensus", "kind = \"path\"\nperiod = 1"), 12 * 10);
  EXPECT_EQ(bits("centralized", ""), 12 * 6);
}

// Excess risk: the objective above its minimum, of the agents and of their mean; beside the exact recursion, one replica whose noise is 0.
TEST_P(Diffusion, ExcessRiskBesideItsExpectation) {
  if (softmax()) GTEST_SKIP() << "quadratics have a minimum in closed form";
  for (const char* kind : {"centralized", "consensus", "diffusion", "diffusion-cta"}) {
    SCOPED_TRACE(kind);
    Trial s = strategy(kind, "kind = \"path\"\nperiod = 1", 6, 40);
    s.noise = 0;
    s.every = 10;
    s.metrics = "\"excess_risk\", \"excess_risk_mean\"";
    const RunResult r = result(s);
    ASSERT_EQ(r.theory.tables.size(), 1u);
    int compared = 0;
    for (const auto& row : r.theory.tables[0].rows) {
      ASSERT_TRUE(row.predicted && row.measured) << row.quantity << ": " << row.note;
      EXPECT_NEAR(*row.measured, *row.predicted, 100 * tolerance() * (1 + *row.predicted)) << row.quantity;
      EXPECT_GT(*row.predicted, 1e-3);
      ++compared;
    }
    EXPECT_EQ(compared, 6);  // three record points, agents and mean
    EXPECT_TRUE(r.theory.warnings.empty());
  }
}

// C11: beyond the stability limit a warning names it.
TEST_P(Diffusion, StepsBeyondTheStabilityLimitAreWarnedOf) {
  if (softmax()) GTEST_SKIP() << "the limit is known for quadratics";
  const auto warnings = [&](const std::string& kind, double rate) {
    Trial s = strategy(kind, "kind = \"ring\"\nperiod = 1", 16, 3);
    s.curvature.assign(48, 2.0);
    s.learning_rate = rate;
    return result(s).theory.warnings.size();
  };
  EXPECT_EQ(warnings("consensus", 0.32), 0u);
  EXPECT_EQ(warnings("consensus", 0.34), 1u);
  EXPECT_EQ(warnings("diffusion", 0.34), 0u);
  EXPECT_EQ(warnings("diffusion", 1.01), 1u);
  EXPECT_EQ(warnings("centralized", 1.01), 1u);
}

}  // namespace
}  // namespace orrery
