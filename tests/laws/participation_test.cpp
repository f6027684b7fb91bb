// Laws of partial participation (papers/h-sgd.md 3.2) and of periods that differ between groups: runs against a float64 simulation whose
// draws come from the definition, ledgers against counts by hand, special cases bit for bit.
#include <numeric>

#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::difference;
using test::tiers;
using test::Trial;

constexpr double apart = 1e-3;
using Lists = std::vector<std::vector<int64_t>>;

// Groups of workers with weights, above them nodes of groups or a graph.
struct Net {
  Lists groups;
  std::vector<int64_t> count, period;  // per group: who takes part, local steps
  std::vector<double> weight;          // per worker, any scale
  Lists nodes = {};                    // groups per node of the second tier
  int64_t coarse = 0;                  // its period, or the graph's
  std::vector<std::vector<double>> h = {};
};

std::vector<uint8_t> drawn(const Trial& s, const Net& n, int64_t t) {
  std::vector<uint8_t> present(static_cast<size_t>(s.workers));
  for (size_t k = 0; k < n.groups.size(); ++k) {
    std::vector<int64_t> members = n.groups[k];
    std::sort(members.begin(), members.end());
    const Stream stream(static_cast<uint64_t>(s.seed), Draw::participation, static_cast<uint32_t>(k),
                        static_cast<uint64_t>(t / n.period[k]));
    std::vector<size_t> order(members.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return stream.bits(static_cast<uint32_t>(a)) < stream.bits(static_cast<uint32_t>(b));
    });
    for (int64_t c = 0; c < n.count[k]; ++c) present[static_cast<size_t>(members[order[static_cast<size_t>(c)]])] = 1;
  }
  return present;
}

class Participation : public test::OnEachCase {
 protected:
  std::vector<double> simulate(const Trial& s, const Net& n, std::vector<int64_t>* taken = nullptr) const {
    const test::Oracle oracle(s, device());
    const auto p = static_cast<size_t>(oracle.parameters());
    std::vector<double> w(static_cast<size_t>(s.workers) * p, softmax() ? 0.0 : 0.25);
    for (int64_t t = 0; t < s.steps; ++t) {
      const auto present = drawn(s, n, t);
      for (size_t i = 0; i < present.size(); ++i) {
        if (!present[i]) continue;
        if (taken) ++(*taken)[i];
        const auto g = oracle.gradient(static_cast<int64_t>(i), t, &w[i * p]);
        for (size_t j = 0; j < p; ++j) w[i * p + j] -= s.learning_rate * g[j];
      }

      // the mean over who took part in each group, and what all its workers weigh
      std::vector<std::vector<double>> mean(n.groups.size(), std::vector<double>(p));
      std::vector<double> mass(n.groups.size());
      for (size_t k = 0; k < n.groups.size(); ++k) {
        double here = 0;
        for (int64_t i : n.groups[k]) {
          const auto at = static_cast<size_t>(i);
          mass[k] += n.weight[at];
          if (!present[at]) continue;
          here += n.weight[at];
          for (size_t j = 0; j < p; ++j) mean[k][j] += n.weight[at] * w[at * p + j];
        }
        for (double& m : mean[k]) m /= here;
      }
      const auto give = [&](size_t k, const std::vector<double>& model) {
        for (int64_t i : n.groups[k])
          for (size_t j = 0; j < p; ++j) w[static_cast<size_t>(i) * p + j] = model[j];
      };
      if (n.coarse > 0 && (t + 1) % n.coarse == 0) {
        if (n.h.empty())
          for (const auto& node : n.nodes) {
            std::vector<double> whole(p);
            double total = 0;
            for (int64_t k : node) total += mass[static_cast<size_t>(k)];
            for (int64_t k : node)
              for (size_t j = 0; j < p; ++j)
                whole[j] += mass[static_cast<size_t>(k)] / total * mean[static_cast<size_t>(k)][j];
            for (int64_t k : node) give(static_cast<size_t>(k), whole);
          }
        else
          for (size_t d = 0; d < n.groups.size(); ++d) {
            std::vector<double> mixed(p);
            for (size_t from = 0; from < n.groups.size(); ++from)
              for (size_t j = 0; j < p; ++j) mixed[j] += n.h[from][d] * mean[from][j];
            give(d, mixed);
          }
        continue;
      }
      for (size_t k = 0; k < n.groups.size(); ++k)
        if ((t + 1) % n.period[k] == 0) give(k, mean[k]);
    }
    return w;
  }
};
ORRERY_ON_CASES(Participation);

const std::string unequal = "weights = [1, 3, 2, 2, 1, 1]\n";
const std::vector<double> given{1, 3, 2, 2, 1, 1, 1, 3, 2, 2};

TEST_P(Participation, OneTier) {
  Trial s = trial(10).with_network(unequal + tiers({{"edge", 3, 2}}) + "participation = 0.5\n");
  const Net n{{{0, 1, 2, 3, 4}, {5, 6, 7, 8, 9}}, {2, 3}, {3, 3}, given};  // the last takes the rest of 5
  for (const char* step : {"fused", "gradients"}) {
    s.step = step;
    std::vector<int64_t> taken(10);
    const auto want = simulate(s, n, &taken);
    const RunResult r = result(s);
    EXPECT_LE(difference(test::models(r.arms[0]), want), tolerance()) << step;
    EXPECT_EQ(r.arms[0].worker_steps, taken);
    EXPECT_EQ(std::accumulate(taken.begin(), taken.end(), int64_t{0}), 5 * s.steps);
  }
  EXPECT_GT(difference(final_models(s.with_network(unequal + tiers({{"edge", 3, 2}}))), final_models(s)), apart);
}

TEST_P(Participation, CoarserTiersWeighEachGroupByAllItsWorkers) {
  const std::string groups = "{ name = \"edge\", groups = [[0], [5, 1, 3, 8], [2, 4, 6, 7, 9]], period = 2 }";
  const Trial s = trial(10).with_network(
      unequal + "tiers = [" + groups +
      ", { name = \"region\", groups = [[0, 2], [1]], period = 4 }]\nparticipation = [1, 0.5, 0.4]\n");
  const Net n{{{0}, {5, 1, 3, 8}, {2, 4, 6, 7, 9}}, {1, 2, 2}, {2, 2, 2}, given, {{0, 2}, {1}}, 4};
  EXPECT_LE(difference(final_models(s), simulate(s, n)), tolerance());
  // in the middle of a period, and right after the coarse average
  for (int64_t t : {3, 8, 9})
    EXPECT_LE(difference(final_models(s.with_steps(t)), simulate(s.with_steps(t), n)), tolerance());
}

TEST_P(Participation, AGraphMixesTheMeansOfWhoTakesPart) {
  const std::string h = "matrix = [[0.75, 0.25, 0.0], [0.25, 0.5, 0.25], [0.0, 0.25, 0.75]]";
  const Trial s = trial(9).with_network(
      "tiers = [{ name = \"hub\", nodes = 3, period = 2 }]\nparticipation = 0.7\n"
      "graph = { kind = \"path\", period = 4, mixing = \"file\", " +
      h + " }\n");
  const Net n{{{0, 1, 2}, {3, 4, 5}, {6, 7, 8}},
              {2, 2, 2},
              {2, 2, 2},
              std::vector<double>(9, 1.0),
              {},
              4,
              {{0.75, 0.25, 0.0}, {0.25, 0.5, 0.25}, {0.0, 0.25, 0.75}}};
  EXPECT_LE(difference(final_models(s), simulate(s, n)), tolerance());
}

TEST_P(Participation, GroupsWithTheirOwnPeriods) {
  const std::string own =
      "tiers = [{ name = \"edge\", nodes = 3, period = [2, 3] }, { name = \"cloud\", nodes = 1, period = 6 }]\n";
  const Trial all = trial(9).with_network(unequal + own).with_steps(11);
  const std::vector<double> weight(given.begin(), given.begin() + 9);
  std::vector<double> cycled;
  for (size_t i = 0; i < 9; ++i) cycled.push_back(given[i % 6]);
  const Net n{{{0, 1, 2}, {3, 4, 5}, {6, 7, 8}}, {3, 3, 3}, {2, 3, 2}, cycled, {{0, 1, 2}}, 6};
  for (int64_t t : {2, 3, 5, 6, 11})
    EXPECT_LE(difference(final_models(all.with_steps(t)), simulate(all.with_steps(t), n)), tolerance()) << t;

  // each group's draw is renewed at its own period
  const Trial some = trial(9).with_network(unequal + own + "participation = 0.67\n").with_steps(11);
  Net partial = n;
  partial.count = {2, 2, 2};
  EXPECT_LE(difference(final_models(some), simulate(some, partial)), tolerance());
}

// ---- special cases, bit for bit -------------------------------------------------------------------------------------

TEST_P(Participation, WhereAllTakePartNothingChanges) {
  for (const auto& net : {tiers({{"edge", 2, 3}, {"cloud", 4}}),
                          unequal + tiers({{"hub", 2, 3}}) + "graph = { kind = \"ring\", period = 4 }\n"}) {
    const auto plain = final_models(trial(9).with_network(net));
    for (const char* all : {"participation = 1\n", "participation = 1.0\n", "participation = [1, 1.0]\n"})
      EXPECT_EQ(final_models(trial(9).with_network(net + all)), plain) << all;
    EXPECT_NE(final_models(trial(9).with_network(net + "participation = [1, 0.67, 1]\n")), plain);
  }
}

// Everyone but one group: groups in which all take part keep their bits as long as they are apart.
TEST_P(Participation, AGroupInWhichAllTakePartKeepsItsBits) {
  const auto plain = final_models(trial(9).with_network(unequal + tiers({{"edge", 2, 3}}))),
             some = final_models(
                 trial(9).with_network(unequal + tiers({{"edge", 2, 3}}) + "participation = [1, 0.67, 1]\n"));
  const auto third = static_cast<std::ptrdiff_t>(plain.size() / 3);
  if (device() == "cpu") {
    EXPECT_EQ(std::vector(some.begin(), some.begin() + third), std::vector(plain.begin(), plain.begin() + third));
    EXPECT_EQ(std::vector(some.begin() + 2 * third, some.end()), std::vector(plain.begin() + 2 * third, plain.end()));
  }
  EXPECT_NE(std::vector(some.begin() + third, some.begin() + 2 * third),
            std::vector(plain.begin() + third, plain.begin() + 2 * third));
}

TEST_P(Participation, EqualPeriodsOfTheGroupsAreOnePeriod) {
  for (const char* rest : {"", ", { name = \"cloud\", nodes = 1, period = 6 }"}) {
    const auto with = [&](const char* period) {
      return result(trial(9).with_network(
          fmt::format("{}tiers = [{{ name = \"edge\", nodes = 3, period = {} }}{}]\n", unequal, period, rest)));
    };
    const RunResult one = with("3"), list = with("[3, 3]"), single = with("[3]");
    EXPECT_EQ(test::models(list.arms[0]), test::models(one.arms[0]));
    EXPECT_EQ(test::models(single.arms[0]), test::models(one.arms[0]));
    EXPECT_EQ(list.arms[0].links[0][0].up, one.arms[0].links[0][0].up);
  }
}

TEST_P(Participation, SameBitsForAnyThreadsReplicasAndArms) {
  const int before = threads();
  Trial s = trial(9).with_network(unequal + tiers({{"edge", 2, 3}, {"cloud", 4}}) + "participation = 0.67\n");
  s.replicas = 2;
  set_threads(1);
  const auto one = final_models(s);
  for (int n : {2, 4}) {
    set_threads(n);
    EXPECT_EQ(final_models(s), one) << n;
  }
  set_threads(before);
  Trial second = s, among = s;
  second.replicas = 1;
  second.seed += 1;
  among.network = unequal + tiers({{"edge", 2, 3}, {"cloud", 4}});
  among.arms = "[[arm]]\nname = \"all\"\n[[arm]]\nname = \"some\"\nnetwork.participation = 0.67\n";
  const auto cut = static_cast<std::ptrdiff_t>(one.size() / 2);
  const double allowed = device() == "cpu" ? 0 : tolerance();  // cuBLAS may choose its algorithm by the number of rows
  EXPECT_LE(difference(final_models(second), {one.begin() + cut, one.end()}), allowed);
  const RunResult r = result(among);
  EXPECT_LE(difference(test::models(r.arms[1]), one), allowed);
  EXPECT_LE(difference(test::models(r.arms[0]), final_models([&] {
                         Trial all = s;
                         all.network = among.network;
                         return all;
                       }())),
            allowed);
}

TEST_P(Participation, CudaGraphsChangeNothing) {
  if (device() != "cuda") GTEST_SKIP() << "CUDA graphs are for CUDA";
  for (const auto& net :
       {unequal + tiers({{"edge", 2, 3}, {"cloud", 4}}) + "participation = 0.67\n",
        std::string("tiers = [{ nodes = 3, period = [2, 3] }, { nodes = 1, period = 6 }]\nparticipation = 0.67\n"),
        std::string("tiers = [{ nodes = 3, period = [2, 3, 5] }]\n")}) {
    Trial s = trial(9).with_network(net).with_steps(48);
    s.metrics = "\"train_loss\", \"bits_up\", \"steps_done\", \"virtual_time\"";
    for (int64_t every : {48, 7}) {
      s.every = every;
      s.head = "cuda_graphs = false";
      const RunResult plain = result(s);
      s.head = "cuda_graphs = true";
      const RunResult replayed = result(s);
      EXPECT_EQ(test::models(replayed.arms[0]), test::models(plain.arms[0])) << net;
      EXPECT_EQ(replayed.arms[0].values, plain.arms[0].values) << net;
    }
  }
}

// ---- what is measured -----------------------------------------------------------------------------------------------

// Metrics are over all workers, whoever takes part at that moment.
TEST_P(Participation, MetricsAreOverAllWorkers) {
  Trial s = trial(6).with_network(tiers({{"edge", 3, 2}}) + "participation = 0.67\n").with_steps(7);
  s.every = 7;
  s.metrics =
      "\"grad_norm_sq\", \"consensus_distance\", \"dispersion_edge\", \"dispersion_graph\", \"divergence_edge\", "
      "\"divergence_graph\"";
  const RunResult r = result(s);
  const auto w = test::models(r.arms[0]);
  const test::Oracle oracle(s, device());
  const auto p = static_cast<size_t>(oracle.parameters());
  const std::vector<double> a(6, 1.0 / 6);
  const auto u = test::weighted_mean(w, a);
  std::vector<double> g;
  for (int64_t i = 0; i < 6; ++i) {
    const auto one = oracle.gradient(i, -1, u.data());
    g.insert(g.end(), one.begin(), one.end());
  }
  const auto split = [&](const std::vector<double>& x) {
    const auto mean = test::weighted_mean(x, a);
    double down = 0, up = 0;
    for (size_t k = 0; k < 2; ++k) {
      const auto node = test::weighted_mean({x.begin() + static_cast<std::ptrdiff_t>(3 * k * p),
                                             x.begin() + static_cast<std::ptrdiff_t>(3 * (k + 1) * p)},
                                            std::vector<double>(3, 1.0 / 3));
      for (size_t i = 3 * k; i < 3 * (k + 1); ++i) down += test::squared_distance(&x[i * p], node.data(), p) / 6;
      up += test::squared_distance(node.data(), mean.data(), p) / 2;
    }
    return std::pair{down, up};
  };
  const auto mean_gradient = test::weighted_mean(g, a);
  const std::vector<double> zero(p);
  const auto [model_down, model_up] = split(w);
  const auto [gradient_down, gradient_up] = split(g);
  const double want[] = {test::squared_distance(mean_gradient.data(), zero.data(), p),
                         model_down + model_up,
                         model_down,
                         model_up,
                         gradient_down,
                         gradient_up};
  for (size_t m = 0; m < 6; ++m)
    EXPECT_LE(std::abs(r.arms[0].values[m][0].back() - want[m]), 100 * tolerance() * want[m]) << "metric " << m;
}

TEST_P(Participation, TheLedgerChargesWhoTakesPart) {
  Trial s =
      trial(10)
          .with_network(
              "tiers = [{ name = \"edge\", nodes = 2, period = [2, 3] }, { name = \"cloud\", nodes = 1, period = 6 }]\n"
              "participation = 0.5\n")
          .with_steps(13);
  const RunResult r = result(s);
  const int64_t bits = r.parameters * (s.precision == "fp64" ? 64 : 32);
  // 2 and 3 of 5 take part. Edge 0 acts after 2, 4, 8, 10; edge 1 after 3, 9; the cloud after 6, 12.
  ASSERT_EQ(r.arms[0].links[0].size(), 2u);
  EXPECT_EQ(r.arms[0].links[0][0].up, (4 * 2 + 2 * 3 + 2 * 5) * bits);
  EXPECT_EQ(r.arms[0].links[0][0].down, r.arms[0].links[0][0].up);
  EXPECT_EQ(r.arms[0].links[0][1].up, 2 * 2 * bits);
}

}  // namespace
}  // namespace orrery
