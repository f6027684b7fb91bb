#include <gtest/gtest.h>

#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

constexpr int64_t bits = 32 * 1000;  // one model

// The ledger after `steps` local steps.
Ledger after(const test::Built& b, int64_t steps) {
  const Schedule schedule(*b.spec);
  Ledger ledger(*b.spec);
  for (int64_t t = 1; t <= steps; ++t) ledger.charge(b.network, schedule.after(t), bits);
  return ledger;
}

void expect_link(const Ledger& l, size_t k, const std::string& name, int64_t models) {
  ASSERT_LT(k, l.links.size());
  EXPECT_EQ(l.links[k].name, name);
  EXPECT_EQ(l.links[k].up, models * bits) << name;
  EXPECT_EQ(l.links[k].down, models * bits) << name;
}

// papers/h-sgd.md 3.1: per global period n (G/I) models on worker links and N on the links above, in either direction.
TEST(Ledger, TwoLevelsCostWhatThePaperCounts) {
  const int64_t n = 10, N = 2, G = 50, I = 5;
  const auto b = test::build(
      "workers = 10\ntiers = [{ name = \"edge\", nodes = 2, period = 5 }, { name = \"cloud\", nodes = 1, period = 50 "
      "}]");
  EXPECT_EQ(after(b, G - 1).links[1].up, 0);
  const Ledger one = after(b, G);
  ASSERT_EQ(one.links.size(), 2u);
  expect_link(one, 0, "edge", n * (G / I));
  expect_link(one, 1, "cloud", N);
  EXPECT_EQ(one.up(), (n * (G / I) + N) * bits);
  EXPECT_EQ(one.down(), one.up());
  const Ledger seven = after(b, 7 * G);
  expect_link(seven, 0, "edge", 7 * n * (G / I));
  expect_link(seven, 1, "cloud", 7 * N);
}

TEST(Ledger, SingleLevelLocalSgdSendsEveryModelOverTheLongLink) {
  const auto b = test::build("workers = 10\ntiers = [{ nodes = 1, period = 5 }]");
  expect_link(after(b, 50), 0, "tier1", 10 * (50 / 5));
}

TEST(Ledger, EveryTierBelowTheActingOneCarriesOneModelPerLink) {
  const auto b = test::build(
      "workers = 24\ntiers = [{ nodes = 6, period = 2 }, { nodes = 2, period = 4 }, { nodes = 1, period = 8 }]");
  Ledger l(*b.spec);
  l.charge(b.network, {Action::Kind::tier, 1, 0}, bits);
  expect_link(l, 0, "tier1", 24);
  expect_link(l, 1, "tier2", 6);
  expect_link(l, 2, "tier3", 0);
  l.charge(b.network, {}, bits);
  EXPECT_EQ(l.up(), 30 * bits);
}

TEST(Ledger, AGraphActionGoesUpAcrossAndDown) {
  // Three hubs on a path: four directed links; tau = 2, q = 2
  const auto b = test::build(
      "workers = 6\ntiers = [{ name = \"hub\", nodes = 3, period = 2 }]\ngraph = { kind = \"path\", period = 4 }");
  const Ledger l = after(b, 4);
  ASSERT_EQ(l.links.size(), 2u);
  expect_link(l, 0, "hub", 6 + 6);
  expect_link(l, 1, "graph", 4);
}

TEST(Ledger, DirectedLinksOfEveryKind) {
  const auto models = [](const std::string& graph) {
    const auto b = test::build("workers = 8\ngraph = { " + graph + " }");
    const Ledger l = after(b, 1);
    EXPECT_EQ(l.links.size(), 1u);
    EXPECT_EQ(l.links[0].up, l.links[0].down);
    return l.links[0].up / bits;
  };
  EXPECT_EQ(models("kind = \"complete\", mixing = \"average\""), 56);
  EXPECT_EQ(models("kind = \"ring\""), 16);
  EXPECT_EQ(models("kind = \"ring\", lazy = true"), 16);
  EXPECT_EQ(models("kind = \"star\", mixing = \"uniform\""), 14);
  EXPECT_EQ(models("kind = \"exponential\""), 40);  // hops +-1, +-2, 4
}

TEST(Ledger, AZeroEntryOfAGivenMatrixCarriesNothing) {
  // A complete graph of which only the directed ring 0 -> 1 -> 2 -> 0 is used
  const auto b = test::build(
      "workers = 3\ngraph = { kind = \"complete\", mixing = \"file\", matrix = [[0.5,0.5,0],[0,0.5,0.5],[0.5,0,0.5]] "
      "}");
  expect_link(after(b, 1), 0, "graph", 3);
}

TEST(Ledger, ATimeVaryingGraphIsChargedForThePhaseThatActs) {
  const auto b = test::build("workers = 5\ngraph.kind = \"one-peer-exponential\"");
  expect_link(after(b, 1), 0, "graph", 5);
  expect_link(after(b, 3), 0, "graph", 15);  // not the 20 directed links of the union
}

TEST(Ledger, OneTopNodeSendsNothingOverItsGraph) {
  const auto b =
      test::build("workers = 4\ntiers = [{ nodes = 1, period = 2 }]\ngraph = { kind = \"ring\", period = 2 }");
  const Ledger l = after(b, 2);
  expect_link(l, 0, "tier1", 4);
  expect_link(l, 1, "graph", 0);
}

TEST(Ledger, TotalsPassThirtyTwoBits) {
  const auto b = test::build("workers = 1000\ntiers = [{ nodes = 1, period = 1 }]");
  Ledger l(*b.spec);
  l.charge(b.network, {Action::Kind::tier, 0, 0}, int64_t{32} * 11'000'000);
  EXPECT_EQ(l.up(), 352'000'000'000);
}

}  // namespace
}  // namespace orrery
