// Laws of tiered SGD with compressed differences (docs/maths.md, "Compressed tiers"): special cases, what is sent and what is kept, bits by hand,
// and why error feedback is there.
#include "runtime/cluster.hpp"
#include "tests/laws/tier_trials.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::difference;
using test::tier;
using test::Trial;
using test::two_tiers_text;
using test::unequal;

class CompressedTiers : public test::TierTrials {};
ORRERY_ON_CASES(CompressedTiers, {"quadratic"}, {"fp64", "fp32"});

// ---- special cases ----------------------------------------------------------------------------------------------------

const std::vector<std::string> networks{
    unequal + "tiers = [" + tier("edge", "nodes = 3, period = 2") + ", " + tier("cloud", "nodes = 1, period = 4") +
        "]\n",
    unequal + "participation = 0.7\ntiers = [" + tier("edge", "nodes = 3, period = [2, 4]") + "]\n",
    "rates = [1.0, 0.5]\ntiers = [" + tier("hub", "nodes = 3, period = 2") +
        "]\ngraph = { kind = \"ring\", period = 4 }\n"};

// Identity both ways is the plain method, bit for bit, bits included; whole messages through a sparsifier that leaves nothing out are it to rounding.
TEST_P(CompressedTiers, WhatLeavesNothingOutIsTheMethodItself) {
  for (const auto& net : networks)
    for (const char* more : {"", "momentum = 0.5", "momentum = 0.5\nmomentum_at_average = \"keep\""}) {
      Trial s = trial(9).with_network(net).with_steps(23);
      s.algorithm = more;
      const RunResult plain = result(s);
      const auto want = test::models(plain.arms[0]);
      s.arms = "[compressor]\nkind = \"identity\"\ndown = { kind = \"identity\" }\n";
      const RunResult identity = result(s);
      EXPECT_EQ(test::models(identity.arms[0]), want);
      EXPECT_EQ(identity.arms[0].values, plain.arms[0].values);
      for (const char* feedback : {"true", "false"}) {
        s.arms = std::string("[compressor]\nkind = \"top-k\"\nk = 5\ndown = { kind = \"top-k\", k = 5 }\n") +
                 "error_feedback = " + feedback + "\n";
        const auto got = final_models(s);
        EXPECT_LE(difference(got, want), 20 * tolerance());
      }
      // whole models up in one sum, whole models down: as they would be without the compressor beside them
      s.arms = "[compressor]\nkind = \"identity\"\ndown = { kind = \"top-k\", k = 5 }\n";
      EXPECT_LE(difference(final_models(s), want), 20 * tolerance());
    }
}

// A tier that does not act leaves the finer ones to the plain sum: up to its first action a coarse tier's compressor changes no bit.
TEST_P(CompressedTiers, FinerTiersWithWholeModelsKeepTheirBits) {
  const auto with = [&](const std::string& more) {
    return trial(9)
        .with_network(unequal + "tiers = [" + tier("edge", "nodes = 3, period = 2") + ", " +
                      tier("cloud", "nodes = 1, period = 8" + more) + "]\n")
        .with_steps(7);
  };
  const Trial top = with(", up = { kind = \"top-k\", k = 1 }");
  EXPECT_EQ(final_models(top), final_models(with("")));
  EXPECT_NE(final_models(top.with_steps(9)), final_models(with("").with_steps(9)));
}

// Replicas, and arms beside, do not know of each other.
TEST_P(CompressedTiers, ReplicasAndArmsRunAsIfAlone) {
  const std::string compressor = "kind = \"top-k\", k = 2, down = { kind = \"qsgd\", levels = 4 }";
  for (const auto& net : networks) {
    Trial s = trial(9).with_network(net).with_steps(23);
    s.replicas = 3;
    s.arms = "[[arm]]\nname = \"plain\"\n[[arm]]\nname = \"sparse\"\ncompressor = { " + compressor +
             " }\n[[arm]]\nname = \"signs\"\ncompressor = { kind = \"sign\" }\n";
    const RunResult together = result(s);
    for (size_t arm = 0; arm < 3; ++arm)
      for (int64_t replica = 0; replica < 3; ++replica) {
        Trial one = s;
        one.replicas = 1;
        one.seed = s.seed + replica;
        one.arms = arm == 0   ? ""
                   : arm == 1 ? "[compressor]\nkind = \"top-k\"\nk = 2\ndown = { kind = \"qsgd\", levels = 4 }\n"
                              : "[compressor]\nkind = \"sign\"\n";
        const RunResult alone = result(one);
        const auto all = test::models(together.arms[arm]), own = test::models(alone.arms[0]);
        const auto n = static_cast<std::ptrdiff_t>(own.size());
        EXPECT_EQ(std::vector<double>(all.begin() + replica * n, all.begin() + (replica + 1) * n), own)
            << arm << " " << replica;
        for (size_t metric = 0; metric < 2; ++metric)
          EXPECT_EQ(together.arms[arm].values[metric][static_cast<size_t>(replica)], alone.arms[0].values[metric][0]);
      }
  }
}

// ---- what is sent, what is kept ---------------------------------------------------------------------------------------

// A run from within: its models, and the weighted mean of models and memories.
struct Inside {
  Inside(const Trial& s, const std::string& device)
      : e(parse_experiment(s.text(), "law.toml", device)),
        ctx(choose_device(e).backend),
        cluster(ctx, e, Population(e, {0}, nullptr), nullptr, nullptr) {}
  void add(std::vector<double>& sum, MatrixView<double> rows, const std::vector<double>& share) const {
    const auto host = to_host(ctx, rows);
    ASSERT_EQ(host.size(), share.size() * sum.size());
    for (size_t i = 0; i < host.size(); ++i) sum[i % sum.size()] += share[i / sum.size()] * host[i];
  }
  std::vector<double> mean(bool with_memories) const {
    const Network& network = *cluster.population().lanes[0].network;
    std::vector<double> sum(static_cast<size_t>(cluster.parameters().extent(1)));
    add(sum, cluster.parameters(), network.weights());
    for (size_t l = 0; with_memories && l < network.tiers().size(); ++l) {
      const auto& tier = e.arms[0].tier_messages->tiers[l];
      if (tier.up)
        add(sum, cluster.compressed_tiers(0)->up_error(l), l == 0 ? network.weights() : network.tiers()[l - 1].mass);
      if (tier.owes()) add(sum, cluster.compressed_tiers(0)->down_error(l), network.tiers()[l].mass);
    }
    return sum;
  }
  void advance(int64_t until) { cluster.advance(*e.arms[0].algorithm, until); }
  std::vector<double> models() const { return to_host(ctx, cluster.parameters()); }

  Experiment e;
  Context ctx;
  ClusterOf<double> cluster;
};

// Whatever the compressors leave out, they keep: an action moves the weighted mean of models and memories by nothing.
TEST_P(CompressedTiers, ModelsAndMemoriesKeepTheirMean) {
  if (!exact()) return;
  const std::string sign = ", down = { kind = \"sign\" }", top = ", up = { kind = \"top-k\", k = 1 }",
                    other = ", up = { kind = \"one-bit\" }, down = { kind = \"top-k\", k = 2 }";
  for (const auto& [first, second] :
       {std::pair{top + sign, other}, {sign, top}, {std::string(), other}, {other, sign}}) {
    Inside run(trial(9).with_network(two_tiers_text(first, second)).with_steps(40), device());
    double moved = 0;
    while (run.cluster.now() < 36) {
      run.cluster.local_steps(run.cluster.next_action() - run.cluster.now());
      const auto before = run.mean(true), plain = run.mean(false);
      run.cluster.act(0, run.cluster.schedule(0).after(run.cluster.now()));
      const auto after = run.mean(true), plain_after = run.mean(false);
      for (size_t j = 0; j < 5; ++j) {
        EXPECT_NEAR(after[j], before[j], 1e-12) << first << second << run.cluster.now() << " " << j;
        moved = std::max(moved, std::abs(plain_after[j] - plain[j]));
      }
    }
    EXPECT_GT(moved, 0.01) << "the models alone should move, or nothing was left out";
  }
}

// Once nobody moves, everything that was kept is told: all workers end at the mean that was kept. Messages of one coordinate of 60: what a node owes
// waits for many actions of the tier above, and would grow without end if it counted twice.
TEST_P(CompressedTiers, WhatWasKeptIsToldInTheEnd) {
  if (!exact()) return;
  const std::string up = ", up = { kind = \"top-k\", k = 1 }", down = ", down = { kind = \"top-k\", k = 1 }",
                    blocks = ", up = { kind = \"block\", blocks = 15 }, down = { kind = \"block\", blocks = 15 }";
  const int64_t P = device() == "cpu" ? 60 : 15;
  for (const auto& both : {up + down, up, down, blocks}) {
    Trial s = trial(9)
                  .with_steps(device() == "cpu" ? 4000 : 1000)
                  .with_network(unequal + "tiers = [" +
                                tier("edge", "groups = [[0, 5], [1, 2], [3, 4], [6, 7, 8]], period = 2" + both) + ", " +
                                tier("cloud", "nodes = 1, period = 6" + both) + "]\n");
    s.parameters = P;
    s.rate = "{ start = 0.05, drops = [[30, 1e-30]] }";
    Inside run(s, device());
    run.advance(30);
    const auto kept = run.mean(true), models = run.mean(false);
    EXPECT_GT(difference(models, kept), 1e-3) << "nothing was kept";
    run.advance(s.steps);
    const auto end = run.models();
    test::Near near("models " + both);
    for (size_t i = 0; i < end.size(); ++i)
      near(end[i], kept[i % static_cast<size_t>(P)], 1e-11, static_cast<int64_t>(i) / P);
  }
}

// ---- bits -------------------------------------------------------------------------------------------------------------

// Counted by hand: top-2 of 5 numbers takes 2 (b + 3) bits, qsgd with 4 levels b + 5 (1 + 3), whole models 5 b.
TEST_P(CompressedTiers, BitsAreThoseOfTheMessages) {
  const int64_t b = exact() ? 64 : 32, sparse = 2 * (b + 3), dithered = b + 20, whole = 5 * b;
  const std::string both = ", up = { kind = \"top-k\", k = 2 }, down = { kind = \"qsgd\", levels = 4 }";
  const auto bits = [&](const Trial& s) {
    const RunResult r = result(s);
    std::vector<std::pair<int64_t, int64_t>> all;
    for (const auto& link : r.arms[0].links[0]) all.emplace_back(link.up, link.down);
    return all;
  };
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;
  for (const char* bytes : {"", "send_bytes = true"}) {
    Trial s = trial(9).with_steps(25);
    s.algorithm = bytes;
    // 12 times the workers, 4 times the edges
    EXPECT_EQ(bits(s.with_network(two_tiers_text(both, both))),
              (Pairs{{12 * 9 * sparse, 12 * 9 * dithered}, {4 * 4 * sparse, 4 * 4 * dithered}}));
    EXPECT_EQ(bits(s.with_network(two_tiers_text("", ", up = { kind = \"top-k\", k = 2 }"))),
              (Pairs{{12 * 9 * whole, 12 * 9 * whole}, {4 * 4 * sparse, 4 * 4 * whole}}));
    // drawn clients: 6 of 9 send; whole models go to them, differences to all
    const std::string drawn = "participation = 0.67\ntiers = [";
    EXPECT_EQ(
        bits(s.with_network(drawn + tier("edge", "nodes = 3, period = 2, up = { kind = \"top-k\", k = 2 }") + "]\n")),
        (Pairs{{12 * 6 * sparse, 12 * 6 * whole}}));
    EXPECT_EQ(bits(s.with_network(drawn + tier("edge", "nodes = 3, period = 2" + both) + "]\n")),
              (Pairs{{12 * 6 * sparse, 12 * 9 * dithered}}));
    // periods of their own: node 1 of three acts every 3 steps; blocks of 2 and 3 numbers turn with the messages' numbers
    EXPECT_EQ(bits(s.with_network("tiers = [" + tier("edge", "nodes = 3, period = [2, 3]" + both) + "]\n")),
              (Pairs{{(2 * 12 + 8) * 3 * sparse, (2 * 12 + 8) * 3 * dithered}}));
    EXPECT_EQ(bits(s.with_network(
                  "tiers = [" + tier("edge", "nodes = 3, period = 5, up = { kind = \"block\", blocks = 2 }") + "]\n")),
              (Pairs{{9 * (3 * 2 + 2 * 3) * b, 5 * 9 * whole}}));
    // the graph's models are whole
    EXPECT_EQ(bits(s.with_network("tiers = [" + tier("hub", "nodes = 3, period = 2" + both) +
                                  "]\ngraph = { kind = \"ring\", period = 4 }\n")),
              (Pairs{{12 * 9 * sparse, 12 * 9 * dithered}, {6 * 6 * whole, 6 * 6 * whole}}));
  }
}

// Every message through its bytes: the same models, and lengths that depend on what is said add up to the ledger's.
TEST_P(CompressedTiers, ThroughBytesTheSame) {
  for (const auto& net : networks)
    for (const char* kinds :
         {"kind = \"top-k\"\nk = 2\ndown = { kind = \"qsgd\", levels = 4 }\n",
          "kind = \"sign\"\ndown = { kind = \"natural\" }\n",
          "kind = \"quantizer\"\nbits = 3\ncoding = \"elias-gamma\"\ndown = { kind = \"rand-k\", k = 2 "
          "}\n",
          "kind = \"top-k\"\nk = 3\nthen = { kind = \"qsgd\", levels = 2, coding = \"elias-omega\" "
          "}\ndown = { kind = \"sign\" }\n"}) {
      Trial s = trial(9).with_network(net).with_steps(23);
      s.arms = std::string("[compressor]\n") + kinds;
      const RunResult plain = result(s);
      s.algorithm = "send_bytes = true";
      const RunResult bytes = result(s);
      EXPECT_EQ(test::models(bytes.arms[0]), test::models(plain.arms[0])) << kinds;
      EXPECT_EQ(bytes.arms[0].values, plain.arms[0].values) << kinds;
    }
}

// Virtual time counts the messages that are sent: up and down of every tier that an action crosses, in their own lengths.
TEST_P(CompressedTiers, SecondsAreThoseOfTheMessages) {
  const double b = exact() ? 64 : 32, sparse = 2 * (b + 3), dithered = b + 20, whole = 5 * b;
  Trial s = trial(9).with_steps(12).with_network(
      "clock = { step_time = 1.0 }\ntiers = [" +
      tier("edge",
           "nodes = 3, period = 2, bandwidth = 100, up = { kind = \"top-k\", k = 2 }, down = { kind = \"qsgd\", "
           "levels = 4 }") +
      ", " + tier("cloud", "nodes = 1, period = 6, latency = 0.5, bandwidth = 1000, up = { kind = \"top-k\", k = 2 }") +
      "]\n");
  s.metrics = "\"virtual_time\"";
  s.every = 6;
  const RunResult r = result(s);
  const double edge = (sparse + dithered) / 100, cloud = 1 + (sparse + whole) / 1000, round = 6 + 3 * edge + cloud;
  ASSERT_EQ(r.arms[0].values[0][0].size(), 3u);
  EXPECT_NEAR(r.arms[0].values[0][0][1], round, 1e-9);
  EXPECT_NEAR(r.arms[0].values[0][0][2], 2 * round, 1e-9);
}

// What will not work is said before it is tried, each sentence once.
TEST_P(CompressedTiers, SaysWhatWillNotWork) {
  const auto notices = [&](const std::string& first, const std::string& second, const std::string& arms = "") {
    Trial s = trial(9).with_network(two_tiers_text(first, second)).with_steps(1);
    s.arms = arms;
    return result(s).notices;
  };
  const std::string top = ", up = { kind = \"top-k\", k = 2 }", off = ", error_feedback = false";
  EXPECT_TRUE(notices(top, "").empty());
  EXPECT_TRUE(notices(", up = { kind = \"qsgd\", levels = 4 }", ", down = { kind = \"natural\" }" + off).empty());
  const auto biased = notices(top + off, ", up = { kind = \"top-k\", k = 1 }, down = { kind = \"sign\" }" + off);
  ASSERT_EQ(biased.size(), 2u);
  EXPECT_EQ(biased[0],
            "messages edge up, cloud up: \"top-k\" is biased, and without error feedback what it leaves out is lost; "
            "set error_feedback = true");
  EXPECT_NE(biased[1].find("messages cloud down: \"sign\" is biased"), std::string::npos);
  const auto wide = notices("", "", "[compressor]\nkind = \"rand-k\"\nk = 1\nscaled = true\n");
  ASSERT_EQ(wide.size(), 1u);
  EXPECT_NE(wide[0].find("messages edge up, cloud up: the squared error of \"rand-k\" is up to 4 times"),
            std::string::npos)
      << wide[0];
}

// ---- why error feedback -----------------------------------------------------------------------------------------------

// Workers pull the first coordinate apart and agree on the others. Top-1 without memory sends that coordinate for ever, and the others stand still;
// with memory they arrive, up to what one message leaves out, which falls with the rate.
class CompressedTiersAtLength : public CompressedTiers {};  // thousands of steps: for the CPU
INSTANTIATE_TEST_SUITE_P(Each, CompressedTiersAtLength,
                         testing::Values(test::Case{"cpu", "fp64", "quadratic"},
                                         test::Case{"cpu", "fp32", "quadratic"}),
                         test::case_name);

TEST_P(CompressedTiersAtLength, WithErrorFeedbackItConvergesAndWithoutItStalls) {
  Trial s = trial(8);
  s.batch = "\"full\"";
  s.parameters = 4;
  s.curvature.assign(32, 1.0);
  for (int64_t i = 0; i < 8; ++i)
    for (int64_t j = 0; j < 4; ++j)
      s.center.push_back(j == 0 ? (i % 2 == 0 ? 10.0 : -10.0) : 1.0 + 0.1 * static_cast<double>(j));
  const auto run_at = [&](double rate, int64_t steps, const std::string& compressor) {
    Trial one = s.with_network("tiers = [" + tier("edge", "nodes = 2, period = 2") + ", " +
                               tier("cloud", "nodes = 1, period = 4") + "]\n")
                    .with_steps(steps);
    one.learning_rate = rate;
    one.arms = compressor;
    return final_models(one);
  };
  const std::string top = "[compressor]\nkind = \"top-k\"\nk = 1\ndown = { kind = \"top-k\", k = 2 }\n";
  std::vector<double> off, stalled;
  for (const double rate : {0.004, 0.001}) {
    const auto steps = static_cast<int64_t>(std::lround(40 / rate));
    const auto plain = run_at(rate, steps, ""), with = run_at(rate, steps, top),
               without = run_at(rate, steps, top + "error_feedback = false\n");
    const auto distance = [&](const std::vector<double>& x) {
      double d = 0;
      for (size_t i = 0; i < x.size(); ++i) d = std::max(d, std::abs(x[i] - plain[i]));
      return d;
    };
    off.push_back(distance(with)), stalled.push_back(distance(without));
  }
  EXPECT_LT(off[0], 0.2);
  EXPECT_LT(off[1], 0.4 * off[0]);                   // a quarter, to leading order
  for (const double d : stalled) EXPECT_GT(d, 0.8);  // |1.1 ... 1.3 - 0.25|, whatever the rate

  // Where all workers want the same there is nothing left to leave out: the optimum itself.
  for (int64_t i = 0; i < 8; ++i) s.center[static_cast<size_t>(4 * i)] = -2;
  const auto common = run_at(0.02, 4000, top);
  for (size_t i = 0; i < common.size(); ++i) EXPECT_NEAR(common[i], s.center[i % 4], exact() ? 1e-9 : 1e-4) << i;
}

}  // namespace
}  // namespace orrery
