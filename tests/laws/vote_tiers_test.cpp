// Votes through tiers of nodes (signsgd-fv.md 7.6): sums that lose nothing, majorities of majorities, edge models that a cloud averages.
#include "tests/laws/vote_paths.hpp"

namespace orrery {
namespace {

using test::Numbers;
using test::NumbersOfAll;
using test::Trial;

class VoteTiers : public test::OnEachCase {
 protected:
  Trial voting(const std::string& keys, int64_t workers, int64_t steps, int64_t parameters = 40) const {
    Trial s = test::voting_trial(trial(workers), keys, steps);
    s.parameters = parameters;
    return s;
  }
};
ORRERY_ON_CASES(VoteTiers, {"quadratic"}, {"fp64", "fp32"});

const char* const two_tiers =
    "tiers = [{ name = \"edge\", nodes = 5, period = 1 }, { name = \"cloud\", nodes = 1, period = 1 }]";

// V22: nodes that forward sums lose nothing: the bits of one server, whatever the vote, the number of tiers and the grouping.
TEST_P(VoteTiers, ForwardedSumsAreTheFlatVoteBitForBit) {
  for (const char* keys :
       {"vote = \"majority\"", "vote = \"fv\"\nwarmup = 4", "vote = \"fd\"\nwarmup = 4", "vote = \"sqrt-batch\"",
        "vote = \"fv-worker\"\nwarmup = 3", "vote = \"fv\"\nwarmup = 2\nforgetting = 0.8", "vote = \"genie\"",
        "vote = \"fv-nonneg\"\nwarmup = 4\nsign_zero = \"random\""}) {
    SCOPED_TRACE(keys);
    Trial flat = voting(keys, 15, 12);
    flat.batch = "[4, 1, 9]";
    const auto want = final_models(flat);
    for (const char* network :
         {two_tiers,
          "grouping = \"random\"\ntiers = [{ name = \"edge\", nodes = 4, period = 1 }, { name = \"cloud\", nodes = 1, "
          "period = 1 }]",
          "tiers = [{ name = \"a\", nodes = 6, period = 1 }, { name = \"b\", groups = [[0, 5], [1, 2, 4], [3]], period "
          "= 1 "
          "}, { name = \"c\", nodes = 1, period = 1 }]",
          "tiers = [{ name = \"all\", nodes = 1, period = 1 }]"}) {
      Trial s = flat.with_network(network);
      EXPECT_EQ(final_models(s), want) << network;
      s.replicas = 2;
      const auto among = test::models(result(s).arms[0]);
      EXPECT_EQ(std::vector<double>(among.begin(), among.begin() + static_cast<std::ptrdiff_t>(want.size())), want);
    }
  }
}

TEST_P(VoteTiers, MajoritiesOfMajoritiesAsWrittenOut) {
  const std::vector<std::vector<size_t>> edges{{0, 7, 8}, {1, 2, 3, 4}, {5, 6}};
  const Trial s = voting("forward = \"signs\"", 9, 20)
                      .with_network(
                          "tiers = [{ name = \"edge\", groups = [[0, 7, 8], [1, 2, 3, 4], [5, 6]], period = 1 }, "
                          "{ name = \"cloud\", nodes = 1, period = 1 }]");
  const Numbers want = test::path_end(s, device(), [&](int64_t, const NumbersOfAll& g, const Numbers&) {
    NumbersOfAll of_edges;
    for (const auto& edge : edges) {
      NumbersOfAll below;
      for (const size_t w : edge) below.push_back(g[w]);
      of_edges.push_back(test::majority(below));
    }
    return test::majority(of_edges);
  });
  const auto got = final_models(s);
  EXPECT_LE(test::difference(test::first_worker(got, want.size()), want), tolerance());
  Trial flat = s;
  flat.network = "";
  EXPECT_NE(final_models(flat), got) << "the tiers decide nothing else than one server";
}

// A node that forwards a sign is a voter with a weight of its own, learned from the decision that comes down.
TEST_P(VoteTiers, NodesThatVoteAreLearnedToo) {
  const std::vector<std::vector<size_t>> edges{{0, 1, 2}, {3, 4, 5}, {6, 7, 8}};
  const Trial s = voting("forward = \"signs\"\nvote = \"fv\"\nwarmup = 4", 9, 24, 12)
                      .with_network(
                          "tiers = [{ name = \"edge\", nodes = 3, period = 1 }, { name = \"cloud\", nodes = 1, "
                          "period = 1 }]");
  constexpr double eps = 1e-5;
  NumbersOfAll of_workers(9, Numbers(12)), of_edges(3, Numbers(12));
  const auto llr = [&](double agreed, int64_t rounds) {
    const double a = agreed / (static_cast<double>(rounds) + eps);
    return std::clamp(std::log((a + eps) / (1 - a + eps)), -10.0, 10.0);
  };
  const Numbers want = test::path_end(s, device(), [&](int64_t t, const NumbersOfAll& g, const Numbers&) {
    Numbers u(12);
    for (size_t j = 0; j < 12; ++j) {
      int said[3];
      double top = 0;
      for (size_t k = 0; k < 3; ++k) {
        double sum = 0;
        for (const size_t w : edges[k]) sum += (t < 4 ? 1 : llr(of_workers[w][j], t)) * test::sign(g[w][j]);
        said[k] = test::sign(sum);
        top += (t < 4 ? 1 : llr(of_edges[k][j], t)) * said[k];
      }
      u[j] = test::sign(top);
      for (size_t w = 0; w < 9; ++w) of_workers[w][j] += u[j] == test::sign(g[w][j]);
      for (size_t k = 0; k < 3; ++k) of_edges[k][j] += u[j] == said[k];
    }
    return u;
  });
  EXPECT_LE(test::difference(test::first_worker(final_models(s), 12), want), tolerance());
}

// The table of 7.6 at p = 0.3 by Monte Carlo: a static channel, 40,000 coordinates.
TEST_P(VoteTiers, MajoritiesOfMajoritiesErrAsTheTableSays) {
  constexpr double p = 0.3, snr = 0.5244005127080407;  // Q(snr) = p
  const std::pair<const char*, double> rows[] = {
      {"", 0.050013},
      {"tiers = [{ name = \"e\", nodes = 3, period = 1 }, { name = \"c\", nodes = 1, period = 1 }]", 0.071111},
      {"tiers = [{ name = \"e\", nodes = 5, period = 1 }, { name = \"c\", nodes = 1, period = 1 }]", 0.070946}};
  for (const auto& [network, want] : rows) {
    const int64_t coordinates = 40000;
    std::string text = fmt::format(
        "steps = 1\nseed = 3\nprecision = \"{}\"\n[network]\nworkers = 15\n{}\n[algorithm]\nkind = "
        "\"sign-vote\"\nforward = "
        "\"signs\"\nlearning_rate = 0.0\nbatch = 1\n[model]\nkind = \"quadratic\"\ndimension = {}\ncenter = {:.17g}\n"
        "noise = 1.0\ninit = 0.0\n[record]\nevery = 1\nmetrics = [\"vote_error\"]\n",
        GetParam().precision, network, coordinates, -snr);
    const double got = run_text(text).arms[0].values[0][0][0];
    EXPECT_NEAR(got, want, 4.5 * std::sqrt(want * (1 - want) / static_cast<double>(coordinates)))
        << network << " at p = " << p;
  }
}

// HierSignSGD: edges vote in every step and hold their own models, which the cloud averages now and then, by the workers' weights.
TEST_P(VoteTiers, TheCloudAveragesModelsOfEdges) {
  const std::vector<std::vector<size_t>> edges{{0, 1, 2, 3}, {4, 5}, {6}};
  Trial s = voting("", 7, 10, 9)
                .with_network(
                    "weights = [1, 2, 3]\ntiers = [{ name = \"edge\", groups = [[0, 1, 2, 3], [4, 5], [6]], period = 1 "
                    "}, { name = "
                    "\"cloud\", nodes = 1, period = 4 }]");
  s.metrics = "\"consensus_distance\", \"worker_train_loss\", \"train_loss\", \"bits_up\", \"bits_down\"";
  const test::Oracle oracle(s, device());
  const auto a = test::normalised({1, 2, 3, 1, 2, 3, 1});
  NumbersOfAll x(3, Numbers(9, 0.25));
  for (int64_t t = 0; t < s.steps; ++t) {
    for (size_t k = 0; k < 3; ++k) {
      NumbersOfAll g;
      for (const size_t w : edges[k]) g.push_back(oracle.gradient(static_cast<int64_t>(w), t, x[k].data()));
      const Numbers u = test::majority(g);
      for (size_t j = 0; j < 9; ++j) x[k][j] -= s.learning_rate * u[j];
    }
    if ((t + 1) % 4 != 0) continue;
    for (size_t j = 0; j < 9; ++j) {
      double mean = 0;
      for (size_t k = 0; k < 3; ++k)
        for (const size_t w : edges[k]) mean += a[w] * x[k][j];
      for (size_t k = 0; k < 3; ++k) x[k][j] = mean;
    }
  }
  Numbers want, mean(9);
  for (size_t w = 0; w < 7; ++w) {
    const Numbers& own = x[w < 4 ? 0 : w < 6 ? 1 : 2];
    want.insert(want.end(), own.begin(), own.end());
    for (size_t j = 0; j < 9; ++j) mean[j] += a[w] * own[j];
  }
  const RunResult r = result(s);
  EXPECT_LE(test::difference(test::models(r.arms[0]), want), tolerance());
  double distance = 0, loss = 0, of_mean = 0;
  for (size_t w = 0; w < 7; ++w) {
    distance += a[w] * test::squared_distance(&want[w * 9], mean.data(), 9);
    for (size_t i = 0; i < 7; ++i) loss += a[i] * oracle.loss(static_cast<int64_t>(i), &want[w * 9]) / 7;
  }
  for (size_t i = 0; i < 7; ++i) of_mean += a[i] * oracle.loss(static_cast<int64_t>(i), mean.data());
  const auto last = [&](size_t m) { return r.arms[0].values[m][0].back(); };
  EXPECT_NEAR(last(0), distance, 1e-4 * distance + 1e-7);
  EXPECT_GT(distance, 1e-4);
  EXPECT_NEAR(last(1), loss, 20 * tolerance() * loss);
  EXPECT_NEAR(last(2), of_mean, 20 * tolerance() * of_mean);
  // 10 votes of 9 coordinates; 2 averages: an edge model each up, one each down to the edges and on to all workers
  const int64_t bits = 8 * (GetParam().precision == "fp64" ? 8 : 4) * 9;
  EXPECT_EQ(last(3), 10 * 7 * 9 + 2 * 3 * bits);
  EXPECT_EQ(last(4), 10 * 7 * std::ceil(9 * std::log2(3.0)) + 2 * (3 + 7) * bits);
}

// Section 4: N from a worker, N ceil(log2(g + 1)) from a node with g workers below; weighted sums are float64; a sign is a bit.
TEST_P(VoteTiers, LedgerCountsBitsByTier) {
  const auto links = [&](const std::string& keys) {
    const RunResult r = result(voting("sign_zero = \"plus\"\n" + keys, 15, 3).with_network(two_tiers));
    return r.arms[0].links[0];
  };
  const auto counts = links("");
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts[0].name, "edge");
  EXPECT_EQ(counts[0].up, 3 * 15 * 40);
  EXPECT_EQ(counts[0].down, 3 * 15 * 40);
  EXPECT_EQ(counts[1].up, 3 * 5 * 40 * 2);  // three workers below: 0 ... 3 positive votes
  EXPECT_EQ(counts[1].down, 3 * 5 * 40);
  EXPECT_EQ(links("forward = \"signs\"")[1].up, 3 * 5 * 40);
  EXPECT_EQ(links("vote = \"fv\"")[1].up, 3 * 5 * 40 * 64);
  EXPECT_EQ(links("vote = \"mean\"")[1].up, 3 * 5 * 40 * (GetParam().precision == "fp64" ? 64 : 32));
}

}  // namespace
}  // namespace orrery
