// What a vote is seen to do beside a gradient, against its definition, one coordinate after the other.
#include "runtime/voting/measurement.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Signs;
using test::Trits;

class VoteMeasured : public test::OnEachBackend {};

double half_wrong(int y, double g) { return y == 0 ? 0.5 : (y > 0) != (g > 0) ? 1.0 : 0.0; }

// 4 workers, 133 coordinates, some of them without a gradient, some signs zero.
struct Case {
  int64_t P = 133;
  Trits sent = test::trits(4, P, 1, true), decided = test::trits(1, P, 2, true);
  std::vector<double> g;
  Case() {
    const Stream s(3, Draw::initial, 2, 0);
    for (int64_t n = 0; n < P; ++n)
      g.push_back(n % 6 == 5   ? 0
                  : n % 6 == 4 ? 1e-5 * s.normal(static_cast<uint32_t>(n))
                               : s.normal(static_cast<uint32_t>(n)));
  }
  VoteLook look(Backend b, const Context& ctx) const {
    const Signs y(b, sent, true), u(b, decided, true);
    VoteLook out;
    look_at_errors(ctx, g, u.cview(), y.cview(), out);
    return out;
  }
};

TEST_P(VoteMeasured, IsItsDefinition) {
  const Case c;
  const VoteLook look = c.look(GetParam(), ctx());
  double norm = 0, wrong = 0, lost = 0;
  std::vector<double> p(4), weighted(4);
  std::vector<size_t> order;
  for (size_t n = 0; n < c.g.size(); ++n) {
    const double g = c.g[n], size = std::abs(g);
    if (g == 0) continue;
    order.push_back(n);
    const auto j = static_cast<int64_t>(n);
    norm += size;
    wrong += half_wrong(c.decided(0, j), g);
    lost += size * half_wrong(c.decided(0, j), g);
    for (int64_t m = 0; m < 4; ++m) {
      p[static_cast<size_t>(m)] += half_wrong(c.sent(m, j), g);
      weighted[static_cast<size_t>(m)] += size * half_wrong(c.sent(m, j), g);
    }
  }
  const auto N = static_cast<double>(order.size());
  ASSERT_EQ(look.decoded, 111);
  ASSERT_EQ(N, 111);
  EXPECT_EQ(look.decoding_error, wrong / N);
  EXPECT_NEAR(look.vote_error, lost / norm, 1e-14);
  for (size_t m = 0; m < 4; ++m) {
    EXPECT_EQ(look.p[m], p[m] / N);
    EXPECT_NEAR(look.p_weighted[m], weighted[m] / norm, 1e-14);
  }

  // classes: octaves of |g|, and below the twelfth all that is left
  const double largest =
      *std::max_element(c.g.begin(), c.g.end(), [](double x, double y) { return std::abs(x) < std::abs(y); });
  const int top = std::ilogb(largest);
  double shares = 0, weights = 0;
  int64_t decoded = 0;
  for (const auto& [key, part] : look.classes) {
    ASSERT_LE(key, top);
    ASSERT_GT(key, top - 12);
    int64_t missed = 0, of_worker_2 = 0, members = 0;
    double size = 0;
    for (const size_t n : order) {
      const double g = std::abs(c.g[n]);
      if (g >= std::ldexp(1.0, key + 1) || (key > top - 11 && g < std::ldexp(1.0, key))) continue;
      const auto j = static_cast<int64_t>(n);
      missed += std::lround(2 * half_wrong(c.decided(0, j), c.g[n]));
      of_worker_2 += std::lround(2 * half_wrong(c.sent(2, j), c.g[n]));
      size += g;
      ++members;
    }
    EXPECT_EQ(part.decoded, members);
    EXPECT_EQ(part.missed, missed);
    EXPECT_EQ(part.missed_by[2], of_worker_2);
    EXPECT_NEAR(part.weight, size / norm, 1e-14);
    EXPECT_EQ(part.p()[2], static_cast<double>(of_worker_2) / static_cast<double>(2 * members));
    decoded += part.decoded;
    shares += part.share, weights += part.weight;
  }
  EXPECT_GT(look.classes.size(), 5u);
  EXPECT_EQ(look.classes.begin()->first, top - 11) << "some are smaller than the lowest class";
  EXPECT_EQ(decoded, 111);
  EXPECT_NEAR(shares, 1, 1e-14);
  EXPECT_NEAR(weights, 1, 1e-14);
}

TEST_P(VoteMeasured, NothingToDecode) {
  Case c;
  std::fill(c.g.begin(), c.g.end(), 0.0);
  VoteLook look = c.look(GetParam(), ctx());
  EXPECT_TRUE(look.p.empty() && look.classes.empty());
  EXPECT_EQ(look.vote_error, 0);
  c.g[3] = -2;
  look = c.look(GetParam(), ctx());
  ASSERT_EQ(look.classes.size(), 1u);
  EXPECT_EQ(look.classes.at(1).weight, 1);
  EXPECT_EQ(look.decoding_error, half_wrong(c.decided(0, 3), -2));
  EXPECT_EQ(look.vote_error, look.decoding_error);
  c.g[4] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(c.look(GetParam(), ctx()).vote_error)) << "the run must end";
}

ORRERY_ON_EACH_BACKEND(VoteMeasured);

// A phase is the mean over its looks; rates only over looks with a reference.
TEST(VotePhase, IsAMean) {
  VotePhase phase;
  VoteLook bare, one, other;
  bare.agreement = {0.5, 1};
  one.agreement = {1, 0}, one.p = {0.25, 0.5}, one.p_weighted = {0, 1}, one.decoded = 8;
  one.decoding_error = 0.25, one.vote_error = 0.5;
  one.classes[-3] = {.share = 1, .weight = 1, .decoded = 8, .missed = 4, .missed_by = {4, 8}};
  other.agreement = {0, 0}, other.p = {0.75, 0}, other.p_weighted = {0.5, 0}, other.decoded = 4;
  other.decoding_error = 0.75, other.vote_error = 0;
  other.classes[-3] = {.share = 0.5, .weight = 0.75, .decoded = 2, .missed = 4, .missed_by = {3, 0}};
  other.classes[-4] = {.share = 0.5, .weight = 0.25, .decoded = 2, .missed = 2, .missed_by = {3, 0}};
  for (const VoteLook& look : {bare, one, other}) phase.add(look);
  EXPECT_EQ(phase.looks, 3);
  EXPECT_EQ(phase.references, 2);
  EXPECT_EQ(phase.decoded, 12);
  EXPECT_NEAR(phase.agreement[0], 0.5, 1e-15);
  EXPECT_NEAR(phase.agreement[1], 1 / 3.0, 1e-15);
  EXPECT_EQ(phase.p, (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(phase.p_weighted, (std::vector<double>{0.25, 0.5}));
  EXPECT_EQ(phase.decoding_error, 0.5);
  EXPECT_EQ(phase.vote_error, 0.25);
  ASSERT_EQ(phase.classes.size(), 2u);
  const VoteClass& both = phase.classes.at(-3);
  EXPECT_EQ(both.share, 1.5);
  EXPECT_EQ(both.weight, 1.75);
  EXPECT_EQ(both.p(), (std::vector<double>{7 / 20.0, 8 / 20.0}));
  EXPECT_EQ(both.decoding_error(), 8 / 20.0);
  EXPECT_EQ(phase.classes.at(-4).decoded, 2);
}

}  // namespace
}  // namespace orrery
