#include "kernels/tier_messages.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class TierMessages : public test::OnEachBackend {};

// Five rows of two owners; rows 1 and 4 sit out.
struct Bench {
  explicit Bench(Backend where)
      : of(where, 1, 5, std::vector<int64_t>{1, 0, 0, 1, 1}), acts(where, 1, 5, std::vector<uint8_t>{1, 0, 1, 1, 0}) {}
  bool act(int64_t r) const { return acts.dense()[static_cast<size_t>(r)] != 0; }
  int64_t owner(int64_t r) const { return of.dense()[static_cast<size_t>(r)]; }
  Matrix<int64_t> of;
  Matrix<uint8_t> acts;
};

// A difference and a sum: a rounding of each.
TEST_P(TierMessages, AnOfferIsWhatWasKeptAndWhatIsNew) {
  const Backend where = GetParam();
  const Bench b(where);
  test::for_float_and_double([&]<class T>() {
    for (int64_t P : {1, 33, 5000})
      for (const bool keep : {true, false}) {
        const Matrix<T> x(where, 5, P, 1, P + 1), ref(where, 2, P, 2, P + 3);
        const auto run = [&] {
          const Matrix<T> e(where, 5, P, 3, P + 2);
          tier_offer<T>(ctx(), {b.of.vector(), b.acts.vector()}, x.cview(), ref.cview(), keep, e.view());
          return e.host();
        };
        const Matrix<T> e(where, 5, P, 3);
        const auto got = run();
        test::Near near("e");
        for (int64_t r = 0; r < 5; ++r)
          for (int64_t j = 0; j < P; ++j) {
            const double moved = x.initial(r, j) - ref.initial(b.owner(r), j), kept = keep ? e.initial(r, j) : 0;
            near(
                got[static_cast<size_t>(r * P + j)], b.act(r) ? kept + moved : e.initial(r, j),
                2 * test::unit<T> * (std::abs(kept) + std::abs(x.initial(r, j)) + std::abs(ref.initial(b.owner(r), j))),
                r, j);
          }
        test::expect_same_bits_for_any_threads(run);
      }
  });
}

TEST_P(TierMessages, WithoutMemoryWhatWasThereIsNotRead) {
  const Backend where = GetParam();
  const Matrix<float> x(where, 1, 3, std::vector<float>{1, 2, 3}), ref(where, 1, 3, std::vector<float>{3, 2, 1});
  const Matrix<float> e(where, 1, 3, std::vector<float>(3, std::numeric_limits<float>::quiet_NaN()));
  tier_offer<float>(ctx(), {}, x.cview(), ref.cview(), false, e.view());
  EXPECT_EQ(e.host(), (std::vector<float>{-2, 0, 2}));
}

// What was sent and what is kept are what was offered; a reference moves by what was sent. Exact: the numbers are whole.
TEST_P(TierMessages, SentAndKeptAddUp) {
  const Backend where = GetParam();
  const Bench b(where);
  std::vector<double> offered, sent, held;
  for (int i = 0; i < 5 * 7; ++i) offered.push_back(3 * i - 40), sent.push_back(i % 4), held.push_back(100 - i);
  const Matrix<double> q(where, 5, 7, sent);
  const Matrix<double> e(where, 5, 7, offered, 9), ref(where, 5, 7, held, 8);
  tier_settle<double>(ctx(), {{}, b.acts.vector()}, q.cview(), e.view(), ref.view());
  const auto kept = e.host(), moved = ref.host();
  for (size_t i = 0; i < kept.size(); ++i) {
    const bool acts = b.act(static_cast<int64_t>(i) / 7);
    EXPECT_EQ(kept[i], offered[i] - (acts ? sent[i] : 0)) << i;
    EXPECT_EQ(moved[i], held[i] + (acts ? sent[i] : 0)) << i;
  }
  const Matrix<double> alone(where, 5, 7, offered);
  tier_settle<double>(ctx(), {}, q.cview(), alone.view());
  const auto all = alone.host();
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], offered[i] - sent[i]) << i;
}

TEST_P(TierMessages, TakesOverBitForBit) {
  const Backend where = GetParam();
  const Bench b(where);
  const Matrix<float> m(where, 2, 300, 5, 303), x(where, 5, 300, 6, 301);
  tier_take<float>(ctx(), {b.of.vector(), b.acts.vector()}, m.cview(), x.view());
  for (int64_t r = 0; r < 5; ++r)
    for (int64_t j = 0; j < 300; ++j)
      EXPECT_EQ(x.host_row(r)[static_cast<size_t>(j)], b.act(r) ? m.dense()[static_cast<size_t>(b.owner(r) * 300 + j)]
                                                                : x.dense()[static_cast<size_t>(r * 300 + j)])
          << r << " " << j;
}

// Periods 2, 3 and 6 at steps 1 ... 12, of those who are present.
TEST_P(TierMessages, WhoSendsAndWhichMessageItIs) {
  const Backend where = GetParam();
  const Matrix<int64_t> period(where, 1, 3, std::vector<int64_t>{2, 3, 6});
  const Matrix<uint8_t> present(where, 1, 3, std::vector<uint8_t>{1, 1, 0});
  for (int64_t t = 1; t <= 12; ++t) {
    const test::Rows rows(where, {test::RowSpec{}}, t);
    const Matrix<uint8_t> acts(where, 1, 3, 1), all(where, 1, 3, 2);
    const Matrix<int64_t> number(where, 1, 3, 3);
    tier_senders(ctx(), rows.slot(), period.vector(), present.vector(), acts.vector());
    tier_senders(ctx(), rows.slot(), period.vector(), {}, all.vector());
    tier_numbers(ctx(), rows.slot(), period.vector(), number.vector());
    const auto is = [](bool yes) { return static_cast<uint8_t>(yes ? 1 : 0); };
    EXPECT_EQ(all.host(), (std::vector<uint8_t>{is(t % 2 == 0), is(t % 3 == 0), is(t % 6 == 0)})) << t;
    EXPECT_EQ(acts.host(), (std::vector<uint8_t>{is(t % 2 == 0), is(t % 3 == 0), 0})) << t;
    EXPECT_EQ(number.host(), (std::vector<int64_t>{t / 2 - 1, t / 3 - 1, t / 6 - 1})) << t;
  }
}

TEST_P(TierMessages, RefusesWrongShapes) {
  const Backend where = GetParam();
  const Matrix<float> five(where, 5, 4, 1), two(where, 2, 4, 2), wide(where, 5, 6, 3);
  const Matrix<uint8_t> marks(where, 1, 3, 4);
  EXPECT_THROW(tier_offer<float>(ctx(), {}, five.cview(), two.cview(), true, five.view()), std::logic_error);
  EXPECT_THROW(tier_offer<float>(ctx(), {}, five.cview(), five.cview(), true, wide.view()), std::logic_error);
  EXPECT_THROW(tier_settle<float>(ctx(), {}, wide.cview(), five.view()), std::logic_error);
  EXPECT_THROW(tier_take<float>(ctx(), {}, two.cview(), five.view()), std::logic_error);
  EXPECT_THROW(tier_take<float>(ctx(), {{}, marks.vector()}, five.cview(), five.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(TierMessages);

}  // namespace
}  // namespace orrery
