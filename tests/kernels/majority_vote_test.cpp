#include "kernels/majority_vote.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;
using test::VoteGroups;

class MajorityVote : public test::OnEachBackend {};

const int64_t kWorkers[] = {1, 2, 3, 15, 64, 500};
const int64_t kCoordinates[] = {1, 31, 32, 33, 1000};

// Everybody's sum, member by member.
std::vector<int> sums(const VoteGroups& g, const Trits& y, const std::vector<uint8_t>& present) {
  std::vector<int> out(static_cast<size_t>(g.table().nodes * y.P));
  for (int64_t k = 0; k < g.table().nodes; ++k)
    for (int64_t j = 0; j < y.P; ++j)
      for (int64_t r : g.members(k))
        if (present.empty() || present[static_cast<size_t>(r)]) out[static_cast<size_t>(k * y.P + j)] += y(r, j);
  return out;
}
std::vector<uint8_t> some_present(int64_t rows) {
  std::vector<uint8_t> v;
  for (int64_t r = 0; r < rows; ++r) v.push_back(r % 3 == 1 ? 0 : 1);
  return v;
}
Trits wanted(const VoteGroups& g, const std::vector<int>& sum, int64_t P, SignZero tie) {
  Trits want{g.table().nodes, P, sum};
  for (int64_t k = 0; k < want.rows; ++k)
    for (int64_t j = 0; j < P; ++j) want(k, j) = g.decide(want(k, j), tie, k, j);
  return want;
}

// Odd and even numbers of workers, with and without zeros and absent workers, every rule for ties: exact.
TEST_P(MajorityVote, MatchesTheSumOfSigns) {
  const Backend b = GetParam();
  int64_t ties = 0;
  for (int64_t replicas : {1, 3})
    for (int64_t M : kWorkers)
      for (int64_t P : kCoordinates)
        for (bool zeros : {false, true}) {
          const VoteGroups g(b, replicas, M);
          Trits y = test::trits(g.rows(), P, 1, zeros);
          if (P > 3) test::add_unanimous(y, zeros);
          const Signs ballots(b, y, zeros);
          for (bool absent : {false, true}) {
            const auto present = absent ? some_present(g.rows()) : std::vector<uint8_t>{};
            Matrix<uint8_t> mask(b, absent ? 1 : 0, g.rows(), present);
            const Ballots cast{g.table(), ballots.cview(), mask.vector()};
            const auto sum = sums(g, y, present);
            ties += std::count(sum.begin(), sum.end(), 0);
            Matrix<int32_t> counts(b, replicas, P, 9, P + 1);
            vote_counts(ctx(), cast, counts.view());
            ASSERT_EQ(counts.host(), std::vector<int32_t>(sum.begin(), sum.end())) << M << " workers";
            for (SignZero tie : test::kRules) {
              const Signs out(b, test::trits(replicas, P, 4, true), tie == SignZero::zero);
              majority_vote(ctx(), cast, g.decision(out, tie));
              ASSERT_EQ(out.host().y, wanted(g, sum, P, tie).y)
                  << M << " workers, " << P << " coordinates, ties " << test::name_of(tie) << (zeros ? ", zeros" : "")
                  << (absent ? ", some absent" : "");
            }
          }
        }
  EXPECT_GT(ties, 1000);
}

// Past the planes of small groups: counts of 255, 256 and 4096 and more, one of them short of a multiple of eight.
TEST_P(MajorityVote, CountsLargeGroups) {
  const Backend b = GetParam();
  for (int64_t M : {255, 256, 257, 4095, 4096, 5001}) {
    const VoteGroups g(b, 1, M);
    Trits y = test::trits(g.rows(), 35, 2, true);
    test::add_unanimous(y, true);
    const Signs ballots(b, y, true);
    Matrix<int32_t> counts(b, 1, 35, 9);
    vote_counts(ctx(), {g.table(), ballots.cview()}, counts.view());
    const auto sum = sums(g, y, {});
    EXPECT_EQ(counts.host(), std::vector<int32_t>(sum.begin(), sum.end()));
    EXPECT_EQ(counts.host()[0], M);
    const Signs out(b, test::trits(1, 35, 4, true), true);
    majority_vote(ctx(), {g.table(), ballots.cview()}, g.decision(out, SignZero::zero));
    EXPECT_EQ(out.host().y, wanted(g, sum, 35, SignZero::zero).y) << M;
  }
}

// Nobody present: a tie everywhere.
TEST_P(MajorityVote, NobodyPresentIsATie) {
  const Backend b = GetParam();
  const VoteGroups g(b, 2, 9);
  const Signs ballots(b, test::trits(g.rows(), 70, 1, false), false), out(b, test::trits(2, 70, 2, true), true);
  Matrix<uint8_t> mask(b, 1, g.rows(), std::vector<uint8_t>(static_cast<size_t>(g.rows())));
  majority_vote(ctx(), {g.table(), ballots.cview(), mask.vector()}, g.decision(out, SignZero::zero));
  EXPECT_EQ(out.host().y, std::vector<int>(140));
}

TEST_P(MajorityVote, SameBitsForAnyThreads) {
  const Backend b = GetParam();
  test::expect_same_bits_for_any_threads([&] {
    const VoteGroups g(b, 3, 64);
    const Signs ballots(b, test::trits(g.rows(), 3000, 1, true), true), out(b, test::trits(3, 3000, 2, true), false);
    majority_vote(ctx(), {g.table(), ballots.cview()}, g.decision(out, SignZero::random));
    return out.bits();
  });
}

// Forwarded counts decide as the flat vote does, bit for bit and in any tie rule; forwarded signs do not.
TEST_P(MajorityVote, CountForwardingEqualsTheFlatVote) {
  const Backend b = GetParam();
  for (auto [edges, M] : {std::pair<int64_t, int64_t>{3, 5}, {5, 3}, {24, 20}}) {
    const int64_t P = 1000;
    const VoteGroups tier(b, edges, M), cloud(b, 1, edges), flat(b, 1, edges * M);
    const Signs ballots(b, test::trits(tier.rows(), P, 3, true), true);
    Matrix<int32_t> forwarded(b, edges, P, 9);
    vote_counts(ctx(), {tier.table(), ballots.cview()}, forwarded.view());
    for (SignZero tie : test::kRules) {
      const Signs in_tiers(b, test::trits(1, P, 4, true), true), at_once(b, test::trits(1, P, 5, true), true);
      sum_vote<int32_t>(ctx(), cloud.table(), forwarded.cview(), cloud.decision(in_tiers, tie));
      majority_vote(ctx(), {flat.table(), ballots.cview()}, flat.decision(at_once, tie));
      EXPECT_EQ(in_tiers.bits(), at_once.bits()) << test::name_of(tie);
      if (tie == SignZero::zero) {
        const Signs edge_signs(b, test::trits(edges, P, 6, true), true),
            cloud_signs(b, test::trits(1, P, 7, true), true);
        majority_vote(ctx(), {tier.table(), ballots.cview()}, tier.decision(edge_signs, tie));
        majority_vote(ctx(), {cloud.table(), edge_signs.cview()}, cloud.decision(cloud_signs, tie));
        EXPECT_NE(cloud_signs.bits(), at_once.bits());
      }
    }
  }
}

// 480 workers in three tiers: the middle tier adds counts and passes them on, and nothing is lost.
TEST_P(MajorityVote, CountsPassThroughAMiddleTier) {
  const Backend b = GetParam();
  const int64_t P = 300;
  const VoteGroups edges(b, 48, 10), middle(b, 8, 6), cloud(b, 1, 8), flat(b, 1, 480);
  const Signs ballots(b, test::trits(edges.rows(), P, 3, true), true), in_tiers(b, test::trits(1, P, 4, true), true),
      at_once(b, test::trits(1, P, 5, true), true);
  Matrix<int32_t> first(b, 48, P, 9, P + 1), second(b, 8, P, 10, P + 2), wanted(b, 1, P, 11), got(b, 1, P, 12);
  vote_counts(ctx(), {edges.table(), ballots.cview()}, first.view());
  forward_sums<int32_t>(ctx(), middle.table(), first.cview(), second.view());
  forward_sums<int32_t>(ctx(), cloud.table(), second.cview(), got.view());
  sum_vote<int32_t>(ctx(), cloud.table(), second.cview(), cloud.decision(in_tiers, SignZero::zero));
  vote_counts(ctx(), {flat.table(), ballots.cview()}, wanted.view());
  majority_vote(ctx(), {flat.table(), ballots.cview()}, flat.decision(at_once, SignZero::zero));
  EXPECT_EQ(got.host(), wanted.host());
  EXPECT_EQ(in_tiers.bits(), at_once.bits());
  EXPECT_THROW(forward_sums<int32_t>(ctx(), middle.table(), first.cview(), got.view()), std::logic_error);
}

// Float sums of another tier, exact numbers: the sign of their sum.
TEST_P(MajorityVote, SumVoteAddsForwardedScores) {
  const Backend b = GetParam();
  const int64_t P = 77;
  const VoteGroups g(b, 2, 5);
  std::vector<double> scores;
  for (int v : test::trits(g.rows(), P, 8, true).y) scores.push_back(0.25 * v);
  Matrix<double> forwarded(b, g.rows(), P, scores, P + 2);
  const Trits y = test::trits(g.rows(), P, 8, true);
  for (SignZero tie : test::kRules) {
    const Signs out(b, test::trits(2, P, 4, true), true);
    sum_vote<double>(ctx(), g.table(), forwarded.cview(), g.decision(out, tie));
    EXPECT_EQ(out.host().y, wanted(g, sums(g, y, {}), P, tie).y);
  }
}

TEST_P(MajorityVote, RefusesWrongShapes) {
  const Backend b = GetParam();
  const VoteGroups g(b, 2, 3);
  const Signs ballots(b, test::trits(7, 40, 1, false), false), one_plane(b, test::trits(2, 40, 2, false), false),
      two_planes(b, test::trits(2, 40, 2, false), true), narrow(b, test::trits(2, 30, 2, false), true);
  const Ballots cast{g.table(), ballots.cview()};
  EXPECT_THROW(majority_vote(ctx(), cast, g.decision(one_plane, SignZero::zero)), std::logic_error);
  EXPECT_THROW(majority_vote(ctx(), cast, g.decision(narrow, SignZero::plus)), std::logic_error);
  EXPECT_THROW(majority_vote(ctx(), cast, {two_planes.view(), SignZero::random}), std::logic_error);
  Matrix<uint8_t> mask(b, 1, 4, 1);
  EXPECT_THROW(
      majority_vote(ctx(), {g.table(), ballots.cview(), mask.vector()}, g.decision(two_planes, SignZero::plus)),
      std::logic_error);
  Matrix<int32_t> counts(b, 1, 40, 1);
  EXPECT_THROW(vote_counts(ctx(), cast, counts.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(MajorityVote);

}  // namespace
}  // namespace orrery
