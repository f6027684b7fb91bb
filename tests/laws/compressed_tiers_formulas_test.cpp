// Tiered SGD with compressed differences against the method written out in float64 (docs/maths.md, "Compressed tiers").
#include "tests/laws/tier_trials.hpp"

namespace orrery {
namespace {

using test::block_map;
using test::difference;
using test::given;
using test::qsgd_map;
using test::tier;
using test::TierMap;
using test::TierNet;
using test::top_map;
using test::Trial;
using test::two_tiers_text;
using test::unequal;

class CompressedTierFormulas : public test::TierTrials {};
ORRERY_ON_CASES(CompressedTierFormulas, {"quadratic"}, {"fp64", "fp32"});

// Two tiers, nine workers of unequal weight in groups of their own making.
TierNet two_tiers(std::vector<TierMap> up, std::vector<TierMap> down) {
  return {.node_of = {{0, 1, 1, 2, 2, 0, 3, 3, 3}, {0, 1, 0, 1}},
          .nodes = {4, 2},
          .first_period = {2, 2, 2, 2},
          .period = {2, 6},
          .weight = given(9),
          .up = std::move(up),
          .down = std::move(down)};
}
TEST_P(CompressedTierFormulas, TwoTiersAsWrittenOut) {
  const std::string top = ", up = { kind = \"top-k\", k = 2 }", down = ", down = { kind = \"qsgd\", levels = 4 }",
                    blocks = ", up = { kind = \"block\", blocks = 3 }",
                    blocks_down = ", down = { kind = \"block\", blocks = 2 }", off = ", error_feedback = false";
  struct Setting {
    std::string first, second;
    TierNet net;
    bool smooth;  // a rounding decides nothing
  };
  const TierMap no = {};
  std::vector<Setting> all{
      {top + down, top + down, two_tiers({top_map(2), top_map(2)}, {qsgd_map(4), qsgd_map(4)}), false},
      {top, "", two_tiers({top_map(2), no}, {no, no}), false},
      {"", top, two_tiers({no, top_map(2)}, {no, no}), false},
      {down, "", two_tiers({no, no}, {qsgd_map(4), no}), false},
      {"", down, two_tiers({no, no}, {no, qsgd_map(4)}), false},
      {blocks + blocks_down, blocks + blocks_down,
       two_tiers({block_map(3), block_map(3)}, {block_map(2), block_map(2)}), true},
      {blocks, blocks_down, two_tiers({block_map(3), no}, {no, block_map(2)}), true},
  };
  all.push_back({top + down + off, top + down + off, all[0].net, false});
  all.back().net.error_feedback = false;
  all.push_back({blocks + blocks_down + off, blocks + blocks_down + off, all[5].net, true});
  all.back().net.error_feedback = false;
  std::vector<std::vector<double>> seen;
  for (const auto& c : all) {
    if (!exact() && !c.smooth) continue;
    for (const int64_t steps : {5, 6, 25}) {
      const Trial s = trial(9).with_network(two_tiers_text(c.first, c.second)).with_steps(steps);
      expect_written_out(s, c.net, c.first + " | " + c.second);
      if (steps == 25) seen.push_back(final_models(s));
    }
  }
  for (size_t a = 0; a < seen.size(); ++a)  // the settings differ, so that each of them was judged
    for (size_t b = 0; b < a; ++b) EXPECT_GT(difference(seen[a], seen[b]), 1e-4) << a << " " << b;
}

// MLL-SGD: workers with rates, hubs whose graph mixes whole models.
TEST_P(CompressedTierFormulas, RatesAndAGraphAsWrittenOut) {
  TierNet n{.node_of = {{0, 0, 0, 1, 1, 1, 2, 2, 2}},
            .nodes = {3},
            .first_period = {2, 2, 2},
            .period = {2},
            .weight = std::vector<double>(9, 1.0),
            .h = {{0.75, 0.25, 0.0}, {0.25, 0.5, 0.25}, {0.0, 0.25, 0.75}},
            .graph_period = 4,
            .up = {block_map(3)},
            .down = {block_map(2)}};
  for (size_t i = 0; i < 9; ++i) n.rate.push_back(i % 2 == 0 ? 1.0 : 0.4);
  const auto text = [](const std::string& more) {
    return "rates = [1.0, 0.4, 1.0, 0.4, 1.0, 0.4, 1.0, 0.4, 1.0]\ntiers = [" +
           tier("hub", "nodes = 3, period = 2" + more) +
           "]\ngraph = { kind = \"path\", period = 4, mixing = \"file\", matrix = [[0.75, 0.25, 0.0], [0.25, 0.5, "
           "0.25], [0.0, 0.25, 0.75]] }\n";
  };
  Trial s = trial(9).with_steps(23);
  s.kind = "mll-sgd";
  expect_written_out(
      s.with_network(text(", up = { kind = \"block\", blocks = 3 }, down = { kind = \"block\", blocks = 2 }")), n,
      "blocks");
  if (!exact()) return;
  n.up = {top_map(1)}, n.down = {{}};
  expect_written_out(s.with_network(text(", up = { kind = \"top-k\", k = 1 }")), n, "top-1 up");
  n.up = {{}}, n.down = {qsgd_map(3)};
  expect_written_out(s.with_network(text(", down = { kind = \"qsgd\", levels = 3 }")), n, "qsgd down");
}

// FedAvg: one server, clients drawn for every period, [compressor] for all messages.
TEST_P(CompressedTierFormulas, DrawnClientsAsWrittenOut) {
  TierNet n{.node_of = {std::vector<int64_t>(10, 0)},
            .nodes = {1},
            .first_period = {3},
            .period = {3},
            .weight = given(10),
            .participants = {4},
            .up = {block_map(2)},
            .down = {block_map(3)}};
  Trial s =
      trial(10)
          .with_network(unequal + "participation = 0.4\ntiers = [" + tier("server", "nodes = 1, period = 3") + "]\n")
          .with_steps(26);
  s.kind = "fedavg";
  s.arms = "[compressor]\nkind = \"block\"\nblocks = 2\ndown = { kind = \"block\", blocks = 3 }\n";
  expect_written_out(s, n, "blocks");
  if (!exact()) return;
  s.arms = "[compressor]\nkind = \"top-k\"\nk = 2\ndown = { kind = \"qsgd\", levels = 4 }\n";
  n.up = {top_map(2)}, n.down = {qsgd_map(4)};
  expect_written_out(s, n, "top-2 and qsgd");
  s.arms += "error_feedback = false\n";
  n.error_feedback = false;
  expect_written_out(s, n, "without error feedback");
}

// Groups that average at periods of their own, some of their workers drawn: who does not act keeps everything.
TEST_P(CompressedTierFormulas, PeriodsOfTheirOwnAsWrittenOut) {
  TierNet n{.node_of = {{0, 0, 0, 1, 1, 1, 2, 2, 2}, {0, 0, 0}},
            .nodes = {3, 1},
            .first_period = {2, 3, 2},
            .period = {2, 6},
            .weight = given(9),
            .up = {block_map(2), block_map(2)},
            .down = {block_map(3), {}}};
  const std::string text = unequal + "tiers = [" +
                           tier("edge",
                                "nodes = 3, period = [2, 3], up = { kind = \"block\", blocks = 2 }, down = { kind = "
                                "\"block\", blocks = 3 }") +
                           ", " + tier("cloud", "nodes = 1, period = 6, up = { kind = \"block\", blocks = 2 }") + "]\n";
  for (const int64_t steps : {2, 3, 5, 6, 23})
    expect_written_out(trial(9).with_network(text).with_steps(steps), n, "all");
  n.participants = {2, 2, 2};
  expect_written_out(trial(9).with_network(text + "participation = 0.67\n").with_steps(23), n, "some");
}

// A sign's message: 5 + b bits, and of a message with zeros among other numbers 5 - zeros more (its header); counted here from the oracle's offers.
TEST_P(CompressedTierFormulas, LengthsThatDependOnMessagesAreCounted) {
  if (!exact()) return;
  int64_t counted = 0;
  const TierMap sign = [&](const std::vector<double>& x, const test::Sender&) {
    double norm = 0;
    int64_t zeros = 0;
    for (const double v : x) norm += std::abs(v), zeros += v == 0 ? 1 : 0;
    counted += 5 + 64 + (zeros > 0 && zeros < 5 ? 5 - zeros : 0);
    std::vector<double> q;
    for (const double v : x) q.push_back(v > 0 ? norm / 5 : v < 0 ? -norm / 5 : 0);
    return q;
  };
  TierNet n{.node_of = {{0, 0, 0, 0}},
            .nodes = {1},
            .first_period = {3},
            .period = {3},
            .weight = {1, 1, 1, 1},
            .up = {sign},
            .down = {{}}};
  Trial s = trial(4).with_network("tiers = [" + tier("server", "nodes = 1, period = 3") + "]\n").with_steps(11);
  s.batch = "\"full\"";
  s.center.assign(20, 1.0);
  for (size_t i = 0; i < 4; ++i) s.center[i * 5 + 2] = 0.25;  // where all start: nothing to send
  s.arms = "[compressor]\nkind = \"sign\"\nerror_feedback = false\n";
  n.error_feedback = false;
  const auto want = test::simulate_tiers(s, n, device());
  const RunResult r = result(s);
  EXPECT_LE(difference(test::models(r.arms[0]), want.models), tolerance());
  EXPECT_EQ(r.arms[0].links[0][0].up, counted);
  EXPECT_GT(counted, 12 * (5 + 64)) << "some message must have held a zero";
}

}  // namespace
}  // namespace orrery
