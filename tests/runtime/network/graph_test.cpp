#include "runtime/network/graph.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/runtime/network/make_network.hpp"

namespace orrery {
namespace {

Graph graph(const std::string& kind, int64_t n, double probability = 0, uint64_t seed = 1) {
  GraphSpec spec;
  spec.kind = kind;
  spec.probability = probability;
  return make_graph(spec, n, seed);
}

std::map<int64_t, int64_t> degrees(const Graph& g) {  // degree -> number of nodes
  std::map<int64_t, int64_t> count;
  for (int64_t d = 0; d < g.nodes(); ++d) ++count[g.degree(d)];
  return count;
}

using Degrees = std::map<int64_t, int64_t>;

TEST(NetworkGraph, EveryKindIsSimpleSymmetricAndConnected) {
  for (const char* kind :
       {"complete", "ring", "path", "star", "grid", "torus", "exponential", "one-peer-exponential", "erdos-renyi"})
    for (const int64_t n : {1, 2, 3, 4, 6, 9, 12, 16, 35}) {
      if ((kind == std::string("grid") || kind == std::string("torus")) && n > 1 && most_square_rows(n) == 0) continue;
      const Graph g = graph(kind, n, 0.6);
      ASSERT_EQ(g.nodes(), n) << kind;
      int64_t ends = 0;
      for (int64_t i = 0; i < n; ++i) {
        ends += g.degree(i);
        EXPECT_FALSE(g.linked(i, i)) << kind;
        EXPECT_TRUE(std::is_sorted(g.neighbours[i].begin(), g.neighbours[i].end())) << kind;
        for (const int64_t j : g.neighbours[i])
          EXPECT_TRUE(g.linked(j, i)) << kind << " " << n << ": " << i << " - " << j;
      }
      EXPECT_EQ(ends, 2 * static_cast<int64_t>(g.edges.size())) << kind;
      for (const auto& [i, j] : g.edges) EXPECT_TRUE(i < j && g.linked(i, j)) << kind;
      EXPECT_FALSE(unreachable(g.neighbours)) << kind << " " << n;
    }
}

TEST(NetworkGraph, DegreesAreThoseOfTheKind) {
  EXPECT_EQ(degrees(graph("complete", 7)), (Degrees{{6, 7}}));
  EXPECT_EQ(degrees(graph("ring", 7)), (Degrees{{2, 7}}));
  EXPECT_EQ(degrees(graph("ring", 2)), (Degrees{{1, 2}}));
  EXPECT_EQ(degrees(graph("path", 7)), (Degrees{{1, 2}, {2, 5}}));
  EXPECT_EQ(degrees(graph("star", 7)), (Degrees{{1, 6}, {6, 1}}));
  EXPECT_EQ(graph("star", 7).degree(0), 6);
  EXPECT_EQ(degrees(graph("grid", 12)), (Degrees{{2, 4}, {3, 6}, {4, 2}}));  // 3 x 4
  EXPECT_EQ(degrees(graph("torus", 12)), (Degrees{{4, 12}}));
  EXPECT_EQ(degrees(graph("torus", 6)), (Degrees{{3, 6}}));          // 2 x 3: the two vertical links coincide
  EXPECT_EQ(degrees(graph("exponential", 16)), (Degrees{{7, 16}}));  // +-1, +-2, +-4, 8
  EXPECT_EQ(degrees(graph("erdos-renyi", 9, 1)), (Degrees{{8, 9}}));
}

TEST(NetworkGraph, LatticesAreAsSquareAsPossibleAndRowsCanBeSet) {
  EXPECT_EQ(most_square_rows(4), 2);
  EXPECT_EQ(most_square_rows(12), 3);
  EXPECT_EQ(most_square_rows(16), 4);
  EXPECT_EQ(most_square_rows(22), 2);
  for (const int64_t n : {1, 2, 3, 5, 7, 97}) EXPECT_EQ(most_square_rows(n), 0) << n;
  const auto b =
      test::build("workers = 12\ngraph = { kind = \"grid\", rows = 2 }");  // 2 x 6: 6 vertical, 10 horizontal links
  EXPECT_EQ(b.network.edges().size(), 16u);
  const Graph square = graph("grid", 9);
  for (const int64_t j : {1, 3, 5, 7}) EXPECT_TRUE(square.linked(4, j));
  EXPECT_FALSE(square.linked(2, 3));  // the end of a row and the start of the next
}

TEST(NetworkGraph, RandomGraphsRepeatWithTheirSeedAndHaveTheRightDensity) {
  EXPECT_EQ(graph("erdos-renyi", 100, 0.2, 5).edges, graph("erdos-renyi", 100, 0.2, 5).edges);
  EXPECT_NE(graph("erdos-renyi", 100, 0.2, 5).edges, graph("erdos-renyi", 100, 0.2, 6).edges);
  // 4950 pairs at 0.2: 990 links, standard deviation 28.1, bound 5 of them
  for (uint64_t seed = 0; seed < 10; ++seed)
    EXPECT_NEAR(static_cast<double>(graph("erdos-renyi", 100, 0.2, seed).edges.size()), 990, 141);
}

TEST(NetworkGraph, SparseRandomGraphsAreDrawnAgainUntilConnected) {
  // n = 20, p = 0.1 < ln(20)/20 = 0.15: a single draw is rarely connected
  for (uint64_t seed = 0; seed < 20; ++seed)
    EXPECT_FALSE(unreachable(graph("erdos-renyi", 20, 0.1, seed).neighbours)) << seed;
}

TEST(NetworkGraph, UnreachableFollowsDirections) {
  EXPECT_FALSE(unreachable({{1}, {2}, {0}}));
  EXPECT_EQ(unreachable({{1}, {0}, {}}), (std::pair<int64_t, int64_t>(0, 2)));
  EXPECT_EQ(unreachable({{1}, {}}), (std::pair<int64_t, int64_t>(1, 0)));
  EXPECT_EQ(unreachable({{}, {0}}), (std::pair<int64_t, int64_t>(0, 1)));
}

TEST(NetworkGraph, TheDiagonalOfAnAdjacencyIsIgnored) {
  const auto b = test::build("workers = 2\ngraph = { kind = \"file\", path = [[1,1],[1,1]] }");
  EXPECT_EQ(b.network.edges(), (std::vector<std::pair<int64_t, int64_t>>{{0, 1}}));
}

TEST(NetworkGraph, OnlyOnePeerGraphsHaveACycle) {
  GraphSpec spec;
  spec.kind = "exponential";
  EXPECT_EQ(cycle_length(spec, 16), 1);
  spec.kind = "one-peer-exponential";
  const std::map<int64_t, int64_t> expected{{1, 1}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {8, 3}, {9, 4}, {16, 4}};
  for (const auto& [n, length] : expected) EXPECT_EQ(cycle_length(spec, n), length) << n;
}

}  // namespace
}  // namespace orrery
