#include "kernels/top_signs.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;
using test::VoteGroups;

class TopSigns : public test::OnEachBackend {};

// tensors that end inside words, one of a single coordinate, one empty, and three past the CPU's short list of 1024
const std::vector<int64_t> kOffsets{0, 1, 47, 47, 640, 2500, 5003, 6100};
const int64_t kTensors = static_cast<int64_t>(kOffsets.size()) - 1, kColumns = kOffsets.back(), kRows = 4;

int64_t length_of(int64_t t) { return kOffsets[static_cast<size_t>(t) + 1] - kOffsets[static_cast<size_t>(t)]; }

// what to keep of every tensor: nothing, one, a share (a whole number of them or not), all, more than there is
std::vector<std::vector<int64_t>> what_to_keep() {
  std::vector<std::vector<int64_t>> all;
  for (double kappa : {0.0, 1e-9, 0.01, 0.37, 0.9, 1.0}) {
    all.emplace_back();
    for (int64_t t = 0; t < kTensors; ++t) all.back().push_back(kept(kappa, length_of(t)));
  }
  all.push_back({5, -1, 3, 592, 1861, 1 << 30, 1});
  return all;
}

enum class Data { normal, ties, equal, close, sparse };
constexpr Data kData[] = {Data::normal, Data::ties, Data::equal, Data::close, Data::sparse};

// Numbers whose order is easy (normal), has many ties (whole numbers, zeros of either sign; all of one size), shows in the last bits only
// (with ties), or ends in zeros and denormal numbers long before k_t.
template <class T>
std::vector<T> numbers(Data kind) {
  const Stream s(21, Draw::initial, static_cast<uint32_t>(kind), 0);
  std::vector<T> e(static_cast<size_t>(kRows * kColumns));
  for (size_t i = 0; i < e.size(); ++i) {
    const auto at = static_cast<uint32_t>(i);
    const uint32_t u = s.bits(at);
    const T sign = u % 2 == 0 ? T{1} : T{-1};
    switch (kind) {
      case Data::normal: e[i] = static_cast<T>(s.normal(at)); break;
      case Data::ties: e[i] = sign * static_cast<T>(u / 2 % 7); break;
      case Data::equal: e[i] = sign * T{3}; break;
      case Data::close: e[i] = sign * (T{1} + static_cast<T>(u / 2 % 900) * std::numeric_limits<T>::epsilon()); break;
      case Data::sparse:
        e[i] = u / 2 % 100 == 0
                   ? static_cast<T>(s.normal(at))
                   : sign * static_cast<T>(u / 2 % 100 == 1 ? 3 : 0) * std::numeric_limits<T>::denorm_min();
        break;
    }
  }
  return e;
}

// The oracle: every tensor sorted, larger magnitudes first, of equal ones lower indices first.
template <class T>
std::vector<bool> kept_of(const std::vector<T>& e, const std::vector<int64_t>& keep) {
  std::vector<bool> kept(e.size());
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t t = 0; t < kTensors; ++t) {
      std::vector<size_t> order;
      for (int64_t j = kOffsets[static_cast<size_t>(t)]; j < kOffsets[static_cast<size_t>(t) + 1]; ++j)
        order.push_back(static_cast<size_t>(r * kColumns + j));
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return std::abs(e[a]) > std::abs(e[b]); });
      const int64_t k = std::min(keep[static_cast<size_t>(t)], length_of(t));
      for (int64_t i = 0; i < k; ++i) kept[order[static_cast<size_t>(i)]] = true;
    }
  return kept;
}
std::vector<uint8_t> every_third_absent(int64_t n) {
  std::vector<uint8_t> present;
  for (int64_t r = 0; r < n; ++r) present.push_back(r % 3 != 1);
  return present;
}
std::vector<TopCut> no_cuts() { return std::vector<TopCut>(static_cast<size_t>(kRows * kTensors), TopCut{1, 1}); }

TEST(Kept, RoundsUpButForRounding) {
  EXPECT_EQ(kept(0.1, 30), 3);
  EXPECT_EQ(kept(0.07, 100), 7);  // 0.07 * 100 is 7 and a little
  EXPECT_EQ(kept(0.1, 853018), 85302);
  EXPECT_EQ(kept(1e-6, 5), 1);
  EXPECT_EQ(kept(0.999, 5), 5);
  EXPECT_EQ(kept(1, 5), 5);
  EXPECT_EQ(kept(3, 5), 5);
  EXPECT_EQ(kept(0, 5), 0);
  EXPECT_EQ(kept(0.5, 0), 0);
}

TEST_P(TopSigns, SignsAndValuesAreThoseOfASort) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    for (Data kind : kData) {
      const std::vector<T> before = numbers<T>(kind);
      for (const auto& keep_of : what_to_keep()) {
        const std::vector<bool> kept = kept_of(before, keep_of);
        const Matrix<int64_t> keep(b, 1, kTensors, keep_of);
        const Buffer<TopCut> cuts(ctx(), no_cuts());
        const MatrixView<TopCut> cut = cuts.view(kRows, kTensors);
        const Matrix<T> e(b, kRows, kColumns, before, kColumns + 3), f(b, kRows, kColumns, before, kColumns + 1),
            out(b, kRows, kColumns, 5, kColumns + 2);
        const Signs signs(b, test::trits(kRows, kColumns, 1, true), true);
        top_signs<T>(ctx(), offset.vector(), keep.vector(), e.view(), cut, signs.view());
        top_values<T>(ctx(), offset.vector(), keep.vector(), f.view(), cut, out.view());
        const auto rest = e.host(), values = out.host();
        EXPECT_EQ(f.host(), rest);
        const Trits y = signs.host();
        for (size_t i = 0; i < before.size(); ++i) {
          const T v = before[i];
          const std::string where = "data " + std::to_string(static_cast<int>(kind)) + ", row " +
                                    std::to_string(static_cast<int64_t>(i) / kColumns) + ", coordinate " +
                                    std::to_string(static_cast<int64_t>(i) % kColumns);
          ASSERT_EQ(y.y[i], !kept[i] ? 0 : v > 0 ? 1 : v < 0 ? -1 : 0) << where;
          ASSERT_EQ(rest[i], kept[i] ? T{0} : v) << where;
          ASSERT_EQ(values[i], kept[i] ? v : T{0}) << where;
        }
      }
    }
  });
}

// Everything kept is the sign of everything, and nothing is left.
TEST_P(TopSigns, KeepingAllIsPlainSigns) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, 2, std::vector<int64_t>{0, kColumns}),
      keep(b, 1, 1, std::vector<int64_t>{kColumns});
  const Matrix<float> e(b, kRows, kColumns, numbers<float>(Data::ties));
  const Buffer<TopCut> cuts(ctx(), std::vector<TopCut>(static_cast<size_t>(kRows), TopCut{1, 1}));
  const test::Rows rows(b, std::vector<test::RowSpec>(static_cast<size_t>(kRows)));
  const Signs all(b, test::trits(kRows, kColumns, 1, true), true),
      plain(b, test::trits(kRows, kColumns, 2, true), true);
  sign_pack<float>(ctx(), rows.view(), rows.slot(), SignZero::zero, e.cview(), plain.view());
  top_signs<float>(ctx(), offset.vector(), keep.vector(), e.view(), cuts.view(kRows, 1), all.view());
  EXPECT_EQ(all.bits(), plain.bits());
  for (float v : e.host()) ASSERT_EQ(v, 0);
}

TEST_P(TopSigns, AbsentRowsKeepTheirBits) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets), keep(b, 1, kTensors, what_to_keep()[3]);
  const auto before = numbers<float>(Data::normal);
  const Matrix<uint8_t> present(b, 1, kRows, every_third_absent(kRows));
  const Matrix<float> e(b, kRows, kColumns, before), f(b, kRows, kColumns, before), out(b, kRows, kColumns, 5);
  const Trits was = test::trits(kRows, kColumns, 1, true);
  const Signs signs(b, was, true);
  const Buffer<TopCut> cuts(ctx(), no_cuts());
  const MatrixView<TopCut> cut = cuts.view(kRows, kTensors);
  top_signs<float>(ctx(), offset.vector(), keep.vector(), e.view(), cut, signs.view(), present.vector());
  top_values<float>(ctx(), offset.vector(), keep.vector(), f.view(), cut, out.view(), present.vector());
  const Trits y = signs.host();
  for (int64_t r = 0; r < kRows; ++r) {
    const std::vector<float> row(before.begin() + r * kColumns, before.begin() + (r + 1) * kColumns);
    const std::vector<float> other(out.dense().begin() + r * kColumns, out.dense().begin() + (r + 1) * kColumns);
    int64_t same = 0;
    for (int64_t j = 0; j < kColumns; ++j) same += y(r, j) == was(r, j) ? 1 : 0;
    EXPECT_EQ(e.host_row(r) == row, r % 3 == 1);
    EXPECT_EQ(f.host_row(r) == row, r % 3 == 1);
    EXPECT_EQ(out.host_row(r) == other, r % 3 == 1);
    EXPECT_EQ(same == kColumns, r % 3 == 1);
  }
}

TEST_P(TopSigns, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets), keep(b, 1, kTensors, what_to_keep()[3]);
  test::for_float_and_double([&]<class T>() {
    const auto before = numbers<T>(Data::ties);
    const auto run = [&](int64_t first, int64_t count) {
      const Matrix<T> e(b, kRows, kColumns, before), out(b, count, kColumns, 5);
      const Buffer<TopCut> cuts(ctx(), no_cuts());
      top_values<T>(ctx(), offset.vector(), keep.vector(), e.view().rows(first, count), cuts.view(count, kTensors),
                    out.view());
      return out.host();
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, kRows); });
    const auto all = run(0, kRows);
    for (int64_t r = 0; r < kRows; ++r)
      test::expect_same_bits(run(r, 1), {all.begin() + r * kColumns, all.begin() + (r + 1) * kColumns}, "alone");
  });
}

// The mean over those that sent. The order of its blocks of 32, in float64 and rounded once, leaves no freedom: every bit must agree.
TEST_P(TopSigns, SparseMeanMatchesTheOrderedSum) {
  const Backend b = GetParam();
  const int64_t P = 1100;
  test::for_float_and_double([&]<class T>() {
    for (auto [groups, M] : {std::pair<int64_t, int64_t>{1, 1}, {3, 5}, {2, 33}, {1, 300}})
      for (bool all : {true, false}) {
        const VoteGroups table(b, groups, M);
        const int64_t n = table.rows();
        std::vector<T> dense = Matrix<T>(Backend::cpu, n, P, 2).dense();
        for (size_t i = 0; i < dense.size(); ++i)
          if (const size_t j = i % static_cast<size_t>(P); j % 5 == 0 || (i * 7919) % 3 == 0) dense[i] = 0;
        const Matrix<T> sent(b, n, P, dense, P + 3);
        const Matrix<uint8_t> present(b, 1, n, every_third_absent(n));
        const auto run = [&] {
          const Matrix<T> out(b, groups, P, 6, P + 1);
          sparse_mean<T>(ctx(), table.table(), sent.cview(), out.view(),
                         all ? VectorView<const uint8_t>{} : present.vector());
          return out.host();
        };
        const auto got = run();
        test::expect_same_bits_for_any_threads(run);
        for (int64_t k = 0; k < groups; ++k)
          for (int64_t j = 0; j < P; ++j) {
            double total = 0, part = 0;
            int64_t senders = 0, place = 0;
            for (int64_t r : table.members(k)) {
              if (const double v = sent.initial(r, j); all || r % 3 != 1) part += v, senders += v != 0 ? 1 : 0;
              if (++place % 32 == 0 || place == M) total += std::exchange(part, 0);
            }
            ASSERT_EQ(got[static_cast<size_t>(k * P + j)],
                      static_cast<T>(total / (static_cast<double>(senders) + 1e-5)))
                << "group " << k << " of " << M << ", coordinate " << j;
          }
      }
  });
}

// Golden: of three workers two send 6 and -2; nobody sends the second coordinate.
TEST_P(TopSigns, SparseMeanDividesByThoseThatSent) {
  const Backend b = GetParam();
  const VoteGroups table(b, 1, 3);
  const Matrix<double> sent(b, 4, 2, std::vector<double>{6, 0, 0, 0, -2, 0, 50, 50}), out(b, 1, 2, 5);
  sparse_mean<double>(ctx(), table.table(), sent.cview(), out.view());
  EXPECT_DOUBLE_EQ(out.host()[0], 4 / 2.00001);
  EXPECT_EQ(out.host()[1], 0);
}

TEST_P(TopSigns, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, 3, std::vector<int64_t>{0, 7, 40}), keep(b, 1, 2, std::vector<int64_t>{1, 2}),
      few(b, 1, 1, std::vector<int64_t>{1});
  const Matrix<float> e(b, 2, 40, 1), narrow(b, 2, 39, 2);
  const Buffer<TopCut> cuts(ctx(), no_cuts());
  const Matrix<uint8_t> present(b, 1, 3, 1);
  const Signs one(b, test::trits(2, 40, 1, false), false), two(b, test::trits(2, 40, 1, false), true);
  const auto signs = [&](const Matrix<int64_t>& k, int64_t cut_rows, const Signs& s, VectorView<const uint8_t> who) {
    top_signs<float>(ctx(), offset.vector(), k.vector(), e.view(), cuts.view(cut_rows, 2), s.view(), who);
  };
  EXPECT_NO_THROW(signs(keep, 2, two, {}));
  EXPECT_THROW(signs(few, 2, two, {}), std::logic_error);
  EXPECT_THROW(signs(keep, 3, two, {}), std::logic_error);
  EXPECT_THROW(signs(keep, 2, one, {}), std::logic_error);
  EXPECT_THROW(signs(keep, 2, two, present.vector()), std::logic_error);
  const auto values = [&](const Matrix<float>& to) {
    top_values<float>(ctx(), offset.vector(), keep.vector(), e.view(), cuts.view(2, 2), to.view());
  };
  EXPECT_THROW(values(narrow), std::logic_error);
  EXPECT_THROW(values(e), std::logic_error);
  const VoteGroups groups(b, 1, 1);
  EXPECT_THROW(sparse_mean<float>(ctx(), groups.table(), e.cview(), narrow.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(TopSigns);

}  // namespace
}  // namespace orrery
