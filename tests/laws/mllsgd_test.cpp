// Laws M3 - M8 of multi-level local SGD (papers: mll-sgd.md, section 7).
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::difference;
using test::tiers;
using test::Trial;

class MultiLevelSgd : public test::OnEachCase {
 protected:
  Trial mll(int64_t workers, const std::string& network) const {
    Trial s = trial(workers).with_network(network);
    s.kind = "mll-sgd";
    return s;
  }
};
ORRERY_ON_CASES(MultiLevelSgd);

class StepCounts : public test::OnEachCase {};
ORRERY_ON_CASES(StepCounts, {"quadratic"}, {"fp64", "fp32"});

constexpr double apart = 1e-3;
const std::string unequal = "weights = [1, 3, 2, 2, 1, 1]\n", slow = "rates = [0.6, 0.9, 1, 0.5, 0.8, 0.7]\n";

TEST_P(MultiLevelSgd, OneHubMakesTheGraphIrrelevant) {  // M3
  for (const auto& lines : {std::string(), unequal, unequal + slow}) {
    Trial local = trial(6).with_network(lines + tiers({{"cloud", 3}}));
    local.kind = "local-sgd";
    const auto want = final_models(local);
    for (int64_t q : {1, 2, 3}) {
      const auto graph = fmt::format("graph = {{ kind = \"complete\", period = {}, mixing = \"average\" }}\n", 3 * q);
      EXPECT_LE(difference(final_models(mll(6, lines + tiers({{"hub", 3}}) + graph)), want), tolerance())
          << "q = " << q;
    }
    EXPECT_GT(difference(final_models(mll(6, lines + tiers({{"hub", 4}}))), want), apart);
  }
}

TEST_P(MultiLevelSgd, OneHubAndOneSlotIsDistributedSgd) {  // M3
  const Trial s = mll(6, unequal + tiers({{"hub", 1}}));
  const std::vector<double> a{0.1, 0.3, 0.2, 0.2, 0.1, 0.1};
  const test::Oracle oracle(s, device());
  const auto p = static_cast<size_t>(oracle.parameters());
  std::vector<double> w(p, softmax() ? 0.0 : 0.25);
  for (int64_t t = 0; t < 6; ++t) {
    std::vector<double> mean(p);
    for (size_t i = 0; i < 6; ++i) {
      const auto g = oracle.gradient(static_cast<int64_t>(i), t, w.data());
      for (size_t j = 0; j < p; ++j) mean[j] += a[i] * g[j];
    }
    for (size_t j = 0; j < p; ++j) w[j] -= s.learning_rate * mean[j];
  }
  std::vector<double> everywhere;
  for (int i = 0; i < 6; ++i) everywhere.insert(everywhere.end(), w.begin(), w.end());
  EXPECT_LE(difference(final_models(s.with_steps(6)), everywhere), tolerance());
}

TEST_P(MultiLevelSgd, CompleteHubGraphIsLocalSgdOrHierarchicalSgd) {  // M4
  for (const auto& weights : {std::string(), unequal}) {
    const auto with = [&](int64_t tau, int64_t q) {
      return final_models(
          mll(6, weights + tiers({{"hub", tau, 3}}) +
                     fmt::format("graph = {{ kind = \"complete\", period = {}, mixing = \"average\" }}\n", q * tau)));
    };
    const auto local = final_models(trial(6).with_network(weights + tiers({{"cloud", 3}})));
    EXPECT_LE(difference(with(3, 1), local), tolerance());
    const auto hierarchical = final_models(trial(6).with_network(weights + tiers({{"edge", 3, 3}, {"cloud", 6}})));
    EXPECT_LE(difference(with(3, 2), hierarchical), tolerance());
    EXPECT_GT(difference(local, hierarchical), apart);
  }
}

// M5: one worker per hub, X <- (X - eta G) H every tau slots; H not symmetric, or by Metropolis' rule on a ring.
TEST_P(MultiLevelSgd, WorkersOnAGraphFollowTheMatrixRecursion) {
  const double given[4][4] = {{0.7, 0.2, 0, 0.1}, {0.3, 0.5, 0.25, 0}, {0, 0.3, 0.65, 0.4}, {0, 0, 0.1, 0.5}};
  const double ring[4][4] = {{1. / 3, 1. / 3, 0, 1. / 3},
                             {1. / 3, 1. / 3, 1. / 3, 0},
                             {0, 1. / 3, 1. / 3, 1. / 3},
                             {1. / 3, 0, 1. / 3, 1. / 3}};
  for (const bool file : {true, false}) {
    const auto& h = file ? given : ring;
    std::vector<double> flat;
    for (const auto& row : given) flat.insert(flat.end(), row, row + 4);
    const std::string rule =
        file ? "kind = \"file\", path = [[0,1,0,1],[1,0,1,0],[0,1,0,1],[1,0,1,0]], mixing = \"file\", matrix = " +
                   test::rows_text(flat, 4)
             : "kind = \"ring\", mixing = \"metropolis\"";
    for (int64_t tau : {1, 3}) {
      const Trial s = mll(4, fmt::format("graph = {{ {}, period = {} }}\n", rule, tau)).with_steps(7);
      const test::Oracle oracle(s, device());
      const auto p = static_cast<size_t>(oracle.parameters());
      std::vector<double> x(4 * p, softmax() ? 0.0 : 0.25);
      for (int64_t k = 1; k <= s.steps; ++k) {
        for (size_t i = 0; i < 4; ++i) {
          const auto g = oracle.gradient(static_cast<int64_t>(i), k - 1, &x[i * p]);
          for (size_t j = 0; j < p; ++j) x[i * p + j] -= s.learning_rate * g[j];
        }
        if (k % tau != 0) continue;
        std::vector<double> mixed(x.size());
        for (size_t d = 0; d < 4; ++d)
          for (size_t from = 0; from < 4; ++from)
            for (size_t j = 0; j < p; ++j) mixed[d * p + j] += h[from][d] * x[from * p + j];
        x = mixed;
      }
      EXPECT_LE(difference(final_models(s), x), tolerance()) << (file ? "given" : "ring") << " tau " << tau;
    }
  }
}

// M6: nobody steps, nothing changes. Averages of equal models are exact where the weights are dyadic and the start is.
TEST_P(MultiLevelSgd, WithoutStepsNoBitChanges) {
  for (const auto& network :
       {std::string(), tiers({{"cloud", 1}}),
        tiers({{"hub", 1, 4}}) + "graph = { kind = \"complete\", period = 2, mixing = \"average\" }\n",
        tiers({{"hub", 2, 2}, {"cloud", 4}})}) {
    Trial s = mll(8, network + "rates = 0\n");
    s.init = "0.8125";
    s.metrics = "\"steps_done\", \"consensus_distance\"";
    const RunResult r = result(s);
    EXPECT_FALSE(test::models(r.arms[0]).empty());
    for (double w : test::models(r.arms[0])) ASSERT_EQ(w, 0.8125) << network;
    EXPECT_EQ(r.arms[0].worker_steps, std::vector<int64_t>(8));
    EXPECT_EQ(r.arms[0].values[0][0].back(), 0);
    EXPECT_EQ(r.arms[0].values[1][0].back(), 0);
  }
}

TEST_P(MultiLevelSgd, WithoutStepsAnyWeightsAndGraphKeepTheModelsToRounding) {  // M6
  Trial s = mll(6, unequal + tiers({{"hub", 1, 3}}) +
                       "graph = { kind = \"path\", period = 2, mixing = \"laplacian\", alpha = 0.05 }\nrates = 0\n");
  s.init = "0.7";
  const auto w = final_models(s);
  EXPECT_LE(difference(w, std::vector<double>(w.size(), 0.7)), tolerance() / 10);
}

TEST_P(MultiLevelSgd, AWorkerOfRateZeroKeepsItsStartBitForBit) {  // M6
  Trial s = mll(4, "rates = [1, 0, 1, 0]\n");
  s.init = "0.7";
  const auto w = final_models(s);
  const size_t p = w.size() / 4;
  const double start = s.precision == "fp64" ? 0.7 : static_cast<double>(0.7f);
  for (size_t j = 0; j < p; ++j) {
    ASSERT_EQ(w[p + j], start);
    ASSERT_EQ(w[3 * p + j], start);
  }
  EXPECT_GT(difference({w.begin(), w.begin() + static_cast<std::ptrdiff_t>(p)}, std::vector<double>(p, 0.7)), apart);
}

// M7: a worker of rate 1 - 1e-12 draws in every slot, and of the 2^32 values of a draw none is above its rate: it steps
// as one that never draws.
TEST_P(MultiLevelSgd, RateOneIsNoRate) {
  const std::string net =
      unequal + tiers({{"hub", 2, 3}}) + "graph = { kind = \"path\", period = 4, mixing = \"metropolis\" }\n";
  const auto want = final_models(mll(6, net));
  for (const char* rates :
       {"rates = 1\n", "rates = 1.0\n", "rates = [1.0]\n", "rates = 0.999999999999\n", "rates = [0.999999999999, 1]\n"})
    EXPECT_EQ(final_models(mll(6, net + rates)), want) << rates;
  EXPECT_GT(difference(final_models(mll(6, net + "rates = 0.5\n")), want), apart);
}

// ---- M8: how often the workers step ---------------------------------------------------------------------------------

constexpr double deviate = 4;  // normal deviates
const std::vector<double> rate_of{0.1, 0.5, 0.85, 1};

TEST_P(StepCounts, AreBinomialOverTheRunAndOverEveryRound) {
  Trial s = trial(4).with_network("rates = [0.1, 0.5, 0.85, 1]\n" + tiers({{"hub", 6, 2}}));
  s.kind = "mll-sgd";
  s.parameters = 1;
  s.replicas = device() == "cpu" ? 4000 : s.precision == "fp64" ? 1000 : 250;  // the draws are the same in fp32
  std::vector<std::vector<int64_t>> at;  // worker_steps after 0, 1, 2, 3 rounds of 6 slots
  for (int64_t k : {0, 6, 12, 24}) at.push_back(result(s.with_steps(k)).arms[0].worker_steps);
  const auto counts = [&](size_t from, size_t to, size_t worker) {
    std::vector<int64_t> n;
    for (size_t r = 0; r < static_cast<size_t>(s.replicas); ++r)
      n.push_back(at[to][r * 4 + worker] - at[from][r * 4 + worker]);
    return n;
  };
  for (size_t w = 0; w < 4; ++w) {
    for (auto [from, to, slots] : {std::tuple{0, 1, 6}, {1, 2, 6}, {2, 3, 12}, {0, 3, 24}}) {
      const auto n = counts(static_cast<size_t>(from), static_cast<size_t>(to), w);
      ASSERT_EQ(n.size(), static_cast<size_t>(s.replicas));
      if (rate_of[w] == 1) {
        for (int64_t c : n) ASSERT_EQ(c, slots);
        continue;
      }
      EXPECT_LE(test::binomial_deviate(n, slots, rate_of[w]), deviate) << "worker " << w << ", " << slots << " slots";
      double mean = 0;
      for (int64_t c : n) mean += static_cast<double>(c) / static_cast<double>(n.size());
      const double sigma = std::sqrt(slots * rate_of[w] * (1 - rate_of[w]) / static_cast<double>(n.size()));
      EXPECT_LE(std::abs(mean - slots * rate_of[w]), deviate * sigma) << "worker " << w;
    }
  }
  // workers do not step together, nor does a round follow the one before
  const auto correlation = [](const std::vector<int64_t>& x, const std::vector<int64_t>& y) {
    const auto n = static_cast<double>(x.size());
    double mx = 0, my = 0, xy = 0, xx = 0, yy = 0;
    for (size_t i = 0; i < x.size(); ++i) mx += static_cast<double>(x[i]) / n, my += static_cast<double>(y[i]) / n;
    for (size_t i = 0; i < x.size(); ++i) {
      const double a = static_cast<double>(x[i]) - mx, b = static_cast<double>(y[i]) - my;
      xy += a * b, xx += a * a, yy += b * b;
    }
    return xy / std::sqrt(xx * yy);
  };
  const double bound = deviate / std::sqrt(static_cast<double>(s.replicas));
  EXPECT_LE(std::abs(correlation(counts(0, 3, 0), counts(0, 3, 1))), bound);
  EXPECT_LE(std::abs(correlation(counts(0, 3, 1), counts(0, 3, 2))), bound);
  for (size_t w : {0u, 1u, 2u}) EXPECT_LE(std::abs(correlation(counts(0, 1, w), counts(1, 2, w))), bound) << w;
  EXPECT_NEAR(correlation(counts(0, 3, 1), counts(0, 3, 1)), 1, 1e-12);
}

}  // namespace
}  // namespace orrery
