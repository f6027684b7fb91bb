#include "kernels/weighted_vote.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;
using test::VoteGroups;

class WeightedVote : public test::OnEachBackend {};

const int64_t kWorkers[] = {1, 2, 3, 15, 64, 500};
const int64_t kCoordinates[] = {1, 31, 32, 33, 1000};
constexpr double kEpsilon = 1e-5, kClip = 10;

// The weight as the digest of the method writes it.
double llr(double agreements, double rounds, bool nonnegative = false) {
  const double a = agreements / (rounds + kEpsilon);
  const double w = std::clamp(std::log((a + kEpsilon) / (1 - a + kEpsilon)), -kClip, kClip);
  return nonnegative ? std::max(w, 0.0) : w;
}
std::vector<uint8_t> some_present(int64_t rows) {
  std::vector<uint8_t> v;
  for (int64_t r = 0; r < rows; ++r) v.push_back(r % 3 == 1 ? 0 : 1);
  return v;
}
std::vector<uint16_t> counts_up_to(int64_t n, int64_t rounds, uint32_t key) {
  const Stream s(9, Draw::initial, key, 1);
  std::vector<uint16_t> v;
  for (int64_t i = 0; i < n; ++i)
    v.push_back(static_cast<uint16_t>(s.below(static_cast<uint32_t>(i), static_cast<uint32_t>(rounds + 1))));
  return v;
}

// The oracle of one vote: scores in float64 within one step of the grid per member, and decisions that follow from the scores exactly.
struct Setting {
  int64_t replicas, M, P;
  bool zeros, absent;
  VoteGroups groups;
  Trits y;
  Signs ballots;
  std::vector<uint8_t> present;
  Matrix<uint8_t> mask;

  Setting(Backend b, int64_t replicas_, int64_t M_, int64_t P_, bool zeros_, bool absent_)
      : replicas(replicas_),
        M(M_),
        P(P_),
        zeros(zeros_),
        absent(absent_),
        groups(b, replicas, M),
        y(test::trits(groups.rows(), P, 1, zeros)),
        ballots(b, y, zeros),
        present(absent ? some_present(groups.rows()) : std::vector<uint8_t>{}),
        mask(b, absent ? 1 : 0, groups.rows(), present) {}
  Ballots cast() const { return {groups.table(), ballots.cview(), mask.vector()}; }
  bool votes(int64_t r) const { return present.empty() || present[static_cast<size_t>(r)]; }

  template <class Weight>
  void check(const std::vector<double>& scores, const Trits& u, SignZero tie, double bound, Weight weight) const {
    test::Near near("score");
    for (int64_t k = 0; k < replicas; ++k)
      for (int64_t j = 0; j < P; ++j) {
        double want = 0;
        for (int64_t r : groups.members(k))
          if (votes(r)) want += weight(r, j) * y(r, j);
        const double got = scores[static_cast<size_t>(k * P + j)];
        // a rounding to the grid per weight, and the oracle's own roundings
        near(got, want, 2 * static_cast<double>(M) * std::ldexp(bound, -50), k, j);
        ASSERT_EQ(u(k, j), groups.decide(got, tie, k, j)) << "group " << k << " coordinate " << j << " score " << got;
      }
  }
  // what each member learns: agreed(r, j) as the formula says
  int64_t group_of(int64_t r) const {
    for (int64_t k = 0; k < replicas; ++k)
      for (int64_t m : groups.members(k))
        if (m == r) return votes(r) ? k : -1;
    return -1;
  }
  void check_totals(const std::vector<int64_t>& got, const Trits& u) const {
    for (int64_t r = 0; r < groups.rows(); ++r) {
      int64_t want = 0;
      if (const int64_t k = group_of(r); k >= 0)
        for (int64_t j = 0; j < P; ++j) want += u(k, j) == y(r, j);
      EXPECT_EQ(got[static_cast<size_t>(r)], want) << "row " << r;
    }
  }
};

template <class F>
void for_settings(Backend b, F f) {
  for (int64_t replicas : {1, 3})
    for (int64_t M : kWorkers)
      for (int64_t P : kCoordinates) {
        if (M == 500 && P == 1000 && replicas == 3) continue;  // nothing that 500 times 1000 does not show
        for (bool zeros : {false, true}) {
          SCOPED_TRACE(std::to_string(replicas) + " replicas, " + std::to_string(M) + " workers, " + std::to_string(P) +
                       " coordinates" + (zeros ? ", zeros" : ""));
          f(Setting(b, replicas, M, P, zeros, (M + P) % 2 == 0));
        }
      }
}

TEST_P(WeightedVote, WorkerWeightsMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  for_settings(b, [&](const Setting& s) {
    const Matrix<double> weight(b, 1, s.groups.rows(), 3);
    double bound = 1e-3;
    for (double w : weight.dense()) bound += std::abs(w);
    const WorkerWeights weights{weight.vector(), WeightGrid(bound)};
    for (SignZero tie : test::kRules) {
      const Signs out(b, test::trits(s.replicas, s.P, 4, true), tie == SignZero::zero);
      Matrix<double> scores(b, s.replicas, s.P, 5, s.P + 1);
      Matrix<int64_t> agreed(b, 1, s.groups.rows(), 6);
      weighted_vote(ctx(), s.cast(), weights, s.groups.decision(out, tie), {scores.view(), true, agreed.vector()});
      const Trits u = out.host();
      s.check(scores.host(), u, tie, bound, [&](int64_t r, int64_t) { return weight.initial(0, r); });
      s.check_totals(agreed.host(), u);
    }
  });
}

TEST_P(WeightedVote, CountedWeightsMatchTheFormulaAndLearn) {
  const Backend b = GetParam();
  const int64_t rounds = 37;
  for_settings(b, [&](const Setting& s) {
    const bool nonnegative = s.P == 33;
    const LlrRule rule{kEpsilon, kClip, nonnegative};
    const WeightGrid grid = llr_grid(s.M, rule);
    const auto before = counts_up_to(s.groups.rows() * s.P, rounds, 2);
    const Matrix<uint16_t> counts(b, s.groups.rows(), s.P, before, s.P + 3);
    const auto table = llr_table(rounds, rule, grid);
    const Matrix<double> tables(b, 1, rounds + 1, table);
    const CountedWeights weights{counts.view(), tables.cview()};
    const SignZero tie = test::kRules[s.M % 3];
    const Signs out(b, test::trits(s.replicas, s.P, 4, true), true);
    Matrix<double> scores(b, s.replicas, s.P, 5, s.P + 1);
    Matrix<int64_t> agreed(b, 1, s.groups.rows(), 6);
    weighted_vote(ctx(), s.cast(), weights, s.groups.decision(out, tie), {scores.view(), true, agreed.vector()});
    const Trits u = out.host();
    s.check(scores.host(), u, tie, static_cast<double>(s.M) * kClip, [&](int64_t r, int64_t j) {
      return llr(before[static_cast<size_t>(r * s.P + j)], static_cast<double>(rounds), nonnegative);
    });
    s.check_totals(agreed.host(), u);
    const auto after = counts.host();
    for (int64_t r = 0; r < s.groups.rows(); ++r) {
      const int64_t k = s.group_of(r);
      for (int64_t j = 0; j < s.P; ++j)
        ASSERT_EQ(after[static_cast<size_t>(r * s.P + j)],
                  before[static_cast<size_t>(r * s.P + j)] + (k >= 0 && u(k, j) == s.y(r, j)))
            << "row " << r << " coordinate " << j;
    }
  });
}

// phi = 0.794: float32 counts, weights by the logarithm; one rounding of the count in float32, one in float64.
TEST_P(WeightedVote, FadingWeightsMatchTheFormulaAndForget) {
  const Backend b = GetParam();
  const double phi = 0.794, rounds = 1 / (1 - phi);
  for (auto [replicas, M, P] : {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1}, {3, 15, 33}, {1, 64, 1000}}) {
    const Setting s(b, replicas, M, P, true, M == 15);
    const LlrRule rule{kEpsilon, kClip};
    std::vector<float> before;
    for (uint16_t c : counts_up_to(s.groups.rows() * P, 1000, 2))
      before.push_back(static_cast<float>(rounds * static_cast<double>(c) / 1000));
    const Matrix<float> counts(b, s.groups.rows(), P, before, P + 1);
    const Matrix<double> seen(b, 1, s.groups.rows(), std::vector<double>(static_cast<size_t>(s.groups.rows()), rounds));
    const Signs out(b, test::trits(replicas, P, 4, true), true);
    Matrix<double> scores(b, replicas, P, 5);
    Matrix<int64_t> agreed(b, 1, s.groups.rows(), 6);
    weighted_vote(ctx(), s.cast(), FadingWeights{counts.view(), seen.vector(), phi, rule, llr_grid(M, rule)},
                  s.groups.decision(out, SignZero::zero), {scores.view(), true, agreed.vector()});
    const Trits u = out.host();
    s.check(scores.host(), u, SignZero::zero, static_cast<double>(M) * kClip,
            [&](int64_t r, int64_t j) { return llr(before[static_cast<size_t>(r * P + j)], rounds); });
    s.check_totals(agreed.host(), u);
    const auto after = counts.host();
    test::Near near("count");
    for (int64_t r = 0; r < s.groups.rows(); ++r) {
      const int64_t k = s.group_of(r);
      for (int64_t j = 0; j < P; ++j) {
        const double old = before[static_cast<size_t>(r * P + j)];
        const double want = k < 0 ? old : phi * old + (u(k, j) == s.y(r, j) ? 1 : 0);
        near(after[static_cast<size_t>(r * P + j)], want, k < 0 ? 0 : 1.0001 * test::unit<float> * want, r, j);
      }
    }
  }
}

// The golden trace of FV (V1): three workers, two coordinates, majority in rounds 0 and 1.
TEST_P(WeightedVote, GoldenTraceOfFederatedVoting) {
  const Backend b = GetParam();
  const VoteGroups g(b, 1, 3);
  const std::vector<std::vector<int>> rounds{
      {1, 1, 1, -1, -1, -1}, {1, -1, -1, 1, 1, 1}, {1, 1, -1, -1, -1, -1}, {-1, 1, 1, 1, -1, -1}};
  const std::vector<std::vector<int>> decoded{{1, -1}, {1, 1}, {1, -1}, {-1, -1}};
  const std::vector<std::vector<double>> golden{{}, {}, {10.00002, -30}, {-10, -10}};
  const LlrRule rule;
  const Matrix<uint16_t> counts(b, 4, 2, std::vector<uint16_t>(8));
  for (int64_t t = 0; t < 4; ++t) {
    auto said = rounds[static_cast<size_t>(t)];
    said.insert(said.end(), {0, 0});  // a row that is in no group
    const Signs ballots(b, {4, 2, said}, true), out(b, test::trits(1, 2, 4, true), true);
    const Ballots cast{g.table(), ballots.cview()};
    const auto table = llr_table(t, rule, llr_grid(3, rule));
    const Matrix<double> tables(b, 1, t + 1, table);
    const CountedWeights weights{counts.view(), tables.cview()};
    if (t < 2) {
      majority_vote(ctx(), cast, g.decision(out, SignZero::zero));
      learn_agreements(ctx(), cast, SignsIn(out.cview()), weights);
    } else {
      Matrix<double> scores(b, 1, 2, 5);
      if (t == 3) {
        const auto before = counts.host();
        EXPECT_EQ(table[before[0]], 10);
        EXPECT_NEAR(table[before[2]], -0.693137, 5e-7);
        EXPECT_NEAR(table[before[4]], -0.693137, 5e-7);
      }
      weighted_vote(ctx(), cast, weights, g.decision(out, SignZero::zero), {scores.view(), true});
      for (size_t j = 0; j < 2; ++j) EXPECT_NEAR(scores.host()[j], golden[static_cast<size_t>(t)][j], 5e-6);
    }
    EXPECT_EQ(out.host().y, decoded[static_cast<size_t>(t)]) << "round " << t;
  }
  EXPECT_EQ(counts.host(), (std::vector<uint16_t>{4, 0, 1, 3, 2, 4, 0, 0}));
}

// Numbers of the digest: with 100 rounds all agreed the weight is 11.50 before the clip; round 0 weighs 1.
TEST(VoteWeights, KnownWeights) {
  EXPECT_NEAR(llr_weight(100, 100, {1e-5, 20}), 11.50, 0.02);
  EXPECT_EQ(llr_weight(100, 100, {}), 10);
  EXPECT_EQ(llr_weight(0, 100, {}), -10);
  EXPECT_EQ(llr_weight(0, 100, {1e-5, 10, true}), 0);
  EXPECT_EQ(llr_weight(0, 0, {}), 1);
  EXPECT_EQ(pooled_weight(0, 0, {}), 1);
  EXPECT_EQ(pooled_weight(500, 1000, {}), 0);  // no epsilon beside the number of signs
  EXPECT_NEAR(pooled_weight(750, 1000, {}), std::log(0.75001 / 0.25001), 1e-15);
  EXPECT_EQ(pooled_weight(250, 1000, {1e-5, 10, true}), 0);
  EXPECT_EQ(llr_table(0, {}, llr_grid(5, {})), std::vector<double>{1});
  EXPECT_THROW(llr_table(65536, {}, llr_grid(5, {})), std::logic_error);
  EXPECT_THROW(WeightGrid(0), std::logic_error);
  // sums on the grid are exact: there and back in another order leaves nothing
  const WeightGrid grid(3.0);
  double sum = 0;
  for (double w : {0.1, 0.7, 1e-9, 1.3, 0.3}) sum += grid.round(w);
  for (double w : {1.3, 0.1, 0.3, 0.7, 1e-9}) sum -= grid.round(w);
  EXPECT_EQ(sum, 0);
  EXPECT_NEAR(grid.round(0.1), 0.1, std::ldexp(3.0, -51));
}

// V2: equal positive weights, of any value, decide as the majority does, ties included.
TEST_P(WeightedVote, EqualWeightsAreTheMajority) {
  const Backend b = GetParam();
  for (int64_t M : {2, 3, 15, 64, 500})
    for (double w : {0.1, 1.0, 3.7e5, 1e-12}) {
      const int64_t P = 700;
      const VoteGroups g(b, 1, M);
      const Signs ballots(b, test::trits(g.rows(), P, 3, M == 15), M == 15), one(b, test::trits(1, P, 4, true), true),
          other(b, test::trits(1, P, 5, true), true);
      const Matrix<double> weight(b, 1, g.rows(), std::vector<double>(static_cast<size_t>(g.rows()), w));
      const Ballots cast{g.table(), ballots.cview()};
      majority_vote(ctx(), cast, g.decision(one, SignZero::random));
      weighted_vote(ctx(), cast, WorkerWeights{weight.vector(), WeightGrid(static_cast<double>(M) * w)},
                    g.decision(other, SignZero::random));
      EXPECT_EQ(one.bits(), other.bits()) << M << " workers of weight " << w;
    }
}

// V3: a positive factor changes nothing, a negative one inverts every decision.
TEST_P(WeightedVote, ScalingAndNegation) {
  const Backend b = GetParam();
  const int64_t P = 1000;
  const VoteGroups g(b, 3, 64);
  const Signs ballots(b, test::trits(g.rows(), P, 3, true), true);
  const Matrix<double> drawn(b, 1, g.rows(), 7);
  const auto decide = [&](double factor) {
    auto w = drawn.dense();
    double bound = 0;
    for (double& v : w) v *= factor, bound += std::abs(v);
    const Matrix<double> weight(b, 1, g.rows(), w);
    const Signs out(b, test::trits(3, P, 5, true), true);
    weighted_vote(ctx(), {g.table(), ballots.cview()}, WorkerWeights{weight.vector(), WeightGrid(bound)},
                  g.decision(out, SignZero::zero));
    return out.host().y;
  };
  const auto plain = decide(1);
  auto inverted = decide(-1);
  for (int& u : inverted) u = -u;
  EXPECT_EQ(inverted, plain);
  for (double c : {0.3, 2.0, 1e6, 1e-6}) EXPECT_EQ(decide(c), plain) << c;
}

// V22: edges that forward the sums of their weighted votes lose nothing.
TEST_P(WeightedVote, ForwardedSumsEqualTheFlatVote) {
  const Backend b = GetParam();
  const int64_t edges = 5, M = 9, P = 333, rounds = 50;
  const VoteGroups tier(b, edges, M), cloud(b, 1, edges), flat(b, 1, edges * M);
  const Signs ballots(b, test::trits(tier.rows(), P, 3, true), true);
  const LlrRule rule;
  const Matrix<uint16_t> counts(b, tier.rows(), P, counts_up_to(tier.rows() * P, rounds, 4));
  const Matrix<double> tables(b, 1, rounds + 1, llr_table(rounds, rule, llr_grid(edges * M, rule)));
  const CountedWeights weights{counts.view(), tables.cview()};
  const Signs edge(b, test::trits(edges, P, 4, true), true), in_tiers(b, test::trits(1, P, 4, true), true),
      at_once(b, test::trits(1, P, 5, true), true);
  Matrix<double> forwarded(b, edges, P, 5), total(b, 1, P, 6);
  weighted_vote(ctx(), {tier.table(), ballots.cview()}, weights, tier.decision(edge, SignZero::zero),
                {forwarded.view()});
  sum_vote<double>(ctx(), cloud.table(), forwarded.cview(), cloud.decision(in_tiers, SignZero::zero));
  weighted_vote(ctx(), {flat.table(), ballots.cview()}, weights, flat.decision(at_once, SignZero::zero),
                {total.view()});
  EXPECT_EQ(in_tiers.bits(), at_once.bits());
  const auto parts = forwarded.host(), whole = total.host();
  for (int64_t j = 0; j < P; ++j) {
    double sum = 0;
    for (int64_t k = 0; k < edges; ++k) sum += parts[static_cast<size_t>(k * P + j)];
    EXPECT_EQ(sum, whole[static_cast<size_t>(j)]);
  }
}

// V23: with phi = 1 forgetting counts as the 16-bit counters do, and decides alike; C of phi < 1 tends to 1 / (1 - phi).
TEST_P(WeightedVote, PhiOneIsCumulative) {
  const Backend b = GetParam();
  const int64_t M = 15, P = 100;
  const VoteGroups g(b, 1, M);
  const LlrRule rule;
  const Matrix<uint16_t> counts(b, g.rows(), P, std::vector<uint16_t>(static_cast<size_t>(g.rows() * P)));
  const Matrix<float> fading(b, g.rows(), P, std::vector<float>(static_cast<size_t>(g.rows() * P)));
  double C = 0, forgetful = 0;
  for (int64_t t = 0; t < 40; ++t) {
    const Signs ballots(b, test::trits(g.rows(), P, static_cast<uint32_t>(100 + t), true), true),
        one(b, test::trits(1, P, 4, true), true), other(b, test::trits(1, P, 5, true), true);
    const Ballots cast{g.table(), ballots.cview()};
    const Matrix<double> tables(b, 1, t + 1, llr_table(t, rule, llr_grid(M, rule)));
    const Matrix<double> rounds(b, 1, g.rows(), std::vector<double>(static_cast<size_t>(g.rows()), C));
    weighted_vote(ctx(), cast, CountedWeights{counts.view(), tables.cview()}, g.decision(one, SignZero::zero),
                  {{}, true});
    weighted_vote(ctx(), cast, FadingWeights{fading.view(), rounds.vector(), 1, rule, llr_grid(M, rule)},
                  g.decision(other, SignZero::zero), {{}, true});
    EXPECT_EQ(one.bits(), other.bits()) << "round " << t;
    C = 1 * C + 1;
    forgetful = 0.925 * forgetful + 1;
  }
  const auto whole = counts.host();
  EXPECT_EQ(fading.host(), std::vector<float>(whole.begin(), whole.end()));
  EXPECT_NEAR(forgetful, 1 / (1 - 0.925), std::pow(0.925, 40) / (1 - 0.925) * 1.0001);
}

// Counters stop at their top, and workers that joined at different times have tables of their own.
TEST_P(WeightedVote, SaturatesAndTellsLateWorkersApart) {
  const Backend b = GetParam();
  const VoteGroups g(b, 1, 2);
  const LlrRule rule;
  const WeightGrid grid = llr_grid(2, rule);
  auto tables = llr_table(65535, rule, grid);
  const auto young = llr_table(4, rule, grid);
  tables.insert(tables.end(), young.begin(), young.end());
  tables.resize(2 * 65536);
  const Matrix<double> table(b, 2, 65536, tables);
  const Matrix<int32_t> of(b, 1, 3, std::vector<int32_t>{0, 1, 0});
  const Matrix<uint16_t> counts(b, 3, 2, std::vector<uint16_t>{65535, 40000, 1, 4, 0, 0});
  const Signs ballots(b, {3, 2, {1, 1, -1, -1, 1, 1}}, false), out(b, test::trits(1, 2, 4, true), true);
  Matrix<double> scores(b, 1, 2, 5);
  weighted_vote(ctx(), {g.table(), ballots.cview()}, CountedWeights{counts.view(), table.cview(), of.vector()},
                g.decision(out, SignZero::zero), {scores.view(), true});
  EXPECT_NEAR(scores.host()[0], llr(65535, 65535) - llr(1, 4), 1e-12);
  EXPECT_NEAR(scores.host()[1], llr(40000, 65535) - llr(4, 4), 1e-12);
  EXPECT_EQ(counts.host(), (std::vector<uint16_t>{65535, 40000, 1, 5, 0, 0}));
}

// V24, and what a plain majority learns: exact for any number of threads.
TEST_P(WeightedVote, SameBitsForAnyThreads) {
  const Backend b = GetParam();
  const int64_t rounds = 60;
  test::expect_same_bits_for_any_threads([&] {
    const Setting s(b, 3, 64, 3000, true, true);
    const LlrRule rule;
    const Matrix<uint16_t> counts(b, s.groups.rows(), s.P, counts_up_to(s.groups.rows() * s.P, rounds, 2));
    const Matrix<double> tables(b, 1, rounds + 1, llr_table(rounds, rule, llr_grid(64, rule)));
    const Signs out(b, test::trits(3, s.P, 4, true), true);
    Matrix<double> scores(b, 3, s.P, 5);
    Matrix<int64_t> agreed(b, 1, s.groups.rows(), 6);
    weighted_vote(ctx(), s.cast(), CountedWeights{counts.view(), tables.cview()},
                  s.groups.decision(out, SignZero::random), {scores.view(), true, agreed.vector()});
    auto all = scores.host();
    for (auto v : out.bits()) all.push_back(v);
    for (auto v : counts.host()) all.push_back(v);
    for (auto v : agreed.host()) all.push_back(static_cast<double>(v));
    return all;
  });
}

TEST_P(WeightedVote, AgreementsOfAMajority) {
  const Backend b = GetParam();
  const Setting s(b, 3, 15, 1000, true, true);
  const Signs out(b, test::trits(3, s.P, 4, true), true);
  Matrix<int64_t> agreed(b, 1, s.groups.rows(), 6);
  majority_vote(ctx(), s.cast(), s.groups.decision(out, SignZero::zero));
  count_agreements(ctx(), s.cast(), out.cview(), agreed.vector());
  s.check_totals(agreed.host(), out.host());
}

TEST_P(WeightedVote, RefusesWrongShapes) {
  const Backend b = GetParam();
  const VoteGroups g(b, 2, 3);
  const Signs ballots(b, test::trits(7, 40, 1, false), false), out(b, test::trits(2, 40, 2, false), true);
  const Ballots cast{g.table(), ballots.cview()};
  const Decision decision = g.decision(out, SignZero::zero);
  const Matrix<double> few(b, 1, 6, 1), weight(b, 1, 7, 1), table(b, 1, 3, 1);
  const Matrix<uint16_t> narrow(b, 7, 39, 1), counts(b, 7, 40, 1);
  const Matrix<int32_t> of(b, 1, 6, 1);
  Matrix<double> scores(b, 1, 40, 1);
  Matrix<int64_t> agreed(b, 1, 6, 1);
  const WorkerWeights good{weight.vector(), WeightGrid(10)};
  EXPECT_THROW(weighted_vote(ctx(), cast, WorkerWeights{few.vector(), WeightGrid(10)}, decision), std::logic_error);
  EXPECT_THROW(weighted_vote(ctx(), cast, CountedWeights{narrow.view(), table.cview()}, decision), std::logic_error);
  EXPECT_THROW(weighted_vote(ctx(), cast, CountedWeights{counts.view(), {}}, decision), std::logic_error);
  EXPECT_THROW(weighted_vote(ctx(), cast, CountedWeights{counts.view(), table.cview(), of.vector()}, decision),
               std::logic_error);
  EXPECT_THROW(weighted_vote(ctx(), cast, good, decision, {scores.view()}), std::logic_error);
  EXPECT_THROW(weighted_vote(ctx(), cast, good, decision, {{}, true, agreed.vector()}), std::logic_error);
  EXPECT_THROW(count_agreements(ctx(), cast, ballots.cview(), agreed.vector()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(WeightedVote);

}  // namespace
}  // namespace orrery
