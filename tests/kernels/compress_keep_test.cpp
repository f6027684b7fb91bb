// Places of sparsifiers, and what is gathered from and scattered to them; the formulas are held to float64 in tests/runtime/compression.
#include "kernels/compress_keep.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using Which = KeepRule::Which;

class CompressKeep : public test::OnEachBackend {
 protected:
  static std::vector<test::RowSpec> workers(int64_t n) {
    std::vector<test::RowSpec> specs;
    for (int64_t r = 0; r < n; ++r) specs.push_back({.seed = 9, .worker = static_cast<int32_t>(r)});
    return specs;
  }
  static int64_t places_of(const KeepRule& rule, int64_t P) {
    return rule.which == Which::block ? (P + rule.blocks - 1) / rule.blocks : rule.k;
  }
};

// gather and scatter through the places are keep(); places of top ascend, with ties to the lowest
TEST_P(CompressKeep, PlacesGatherAndScatterAreKeep) {
  const Backend b = GetParam();
  const int64_t n = 3;
  test::for_float_and_double([&]<class T>() {
    for (const int64_t P : {1, 9, 300, 3000})
      for (const KeepRule& rule : {KeepRule{.k = 1},
                                   {.k = std::max<int64_t>(1, P / 3)},
                                   {.k = P},
                                   {.which = Which::drawn, .k = std::max<int64_t>(1, P / 4)},
                                   {.which = Which::drawn, .k = P, .alike = true, .factor = 1.5},
                                   {.which = Which::block, .blocks = std::min<int64_t>(P, 7), .factor = 3},
                                   {.which = Which::block, .blocks = P, .dwell = 2}}) {
        for (const bool ties : {false, true}) {
          std::vector<T> values = Matrix<T>(Backend::cpu, n, P, 3).dense();
          if (ties)
            for (T& v : values) v = std::round(v);
          const test::Rows rows(b, workers(n), 4);
          const int64_t m = places_of(rule, P);
          const Matrix<T> x(b, n, P, values, P + 2), q(b, n, P, 4, P + 1), y(b, n, m, 5, m + 3), back(b, n, P, 6);
          const Matrix<int32_t> places(b, n, m, 7, m + 1);
          keep<T>(ctx(), rows.view(), rows.slot(), rule, x.cview(), q.view());
          keep_places<T>(ctx(), rows.view(), rows.slot(), rule, x.cview(), places.view());
          keep_gather<T>(ctx(), places.cview(), x.cview(), y.view());
          keep_scatter<T>(ctx(), places.cview(), rule.factor, y.cview(), back.view());
          test::expect_same_bits(back.host(), q.host(), "scattered");
          const auto at = places.host();
          for (int64_t r = 0; r < n; ++r) {
            const std::set<int32_t> distinct(at.begin() + r * m, at.begin() + (r + 1) * m);
            ASSERT_EQ(static_cast<int64_t>(distinct.size()), m);
            ASSERT_GE(*distinct.begin(), rule.which == Which::block ? -1 : 0);
            ASSERT_LT(*distinct.rbegin(), P);
            if (rule.which == Which::top) {
              ASSERT_TRUE(std::is_sorted(at.begin() + r * m, at.begin() + (r + 1) * m));
            }
          }
        }
      }
  });
}

// Every coordinate is drawn equally often, and pairs too; workers that draw alike draw the same.
TEST_P(CompressKeep, DrawsAreUniform) {
  const Backend b = GetParam();
  const int64_t n = on_cpu() ? 40000 : 3000, P = 10, k = 3;
  const test::Rows rows(b, workers(n), 4);
  const Matrix<float> x(b, n, P, 1);
  const Matrix<int32_t> places(b, n, k, 2);
  keep_places<float>(ctx(), rows.view(), rows.slot(), {.which = Which::drawn, .k = k}, x.cview(), places.view());
  const auto at = places.host();
  std::vector<int64_t> seen(P), pair(P * P);
  for (int64_t r = 0; r < n; ++r)
    for (int64_t i = 0; i < k; ++i) {
      ++seen[static_cast<size_t>(at[static_cast<size_t>(r * k + i)])];
      for (int64_t l = 0; l < k; ++l)
        ++pair[static_cast<size_t>(at[static_cast<size_t>(r * k + i)] * P + at[static_cast<size_t>(r * k + l)])];
    }
  const auto N = static_cast<double>(n);
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(seen[i]) / N, 0.3, 5 * std::sqrt(0.21 / N)) << i;
    for (size_t l = 0; l < i; ++l)
      EXPECT_NEAR(static_cast<double>(pair[i * P + l]) / N, 3.0 * 2 / 90, 5 * std::sqrt(0.0667 / N)) << i << ", " << l;
  }
  keep_places<float>(ctx(), rows.view(), rows.slot(), {.which = Which::drawn, .k = k, .alike = true}, x.cview(),
                     places.view());
  const auto alike = places.host();
  for (int64_t r = 1; r < n; ++r)
    for (int64_t i = 0; i < k; ++i) ASSERT_EQ(alike[static_cast<size_t>(r * k + i)], alike[static_cast<size_t>(i)]);
}

// A cycle of blocks visits every coordinate once.
TEST_P(CompressKeep, BlocksCoverTheRow) {
  const Backend b = GetParam();
  const int64_t P = 23;
  for (const int64_t B : {1, 2, 5, 22, 23}) {
    std::vector<double> total(static_cast<size_t>(P));
    const Matrix<double> x(b, 1, P, std::vector<double>(static_cast<size_t>(P), 1.0)), q(b, 1, P, 2);
    for (int64_t t = 0; t < 3 * B; ++t) {
      const test::Rows rows(b, workers(1), t);
      keep<double>(ctx(), rows.view(), rows.slot(), {.which = Which::block, .blocks = B, .dwell = 3}, x.cview(),
                   q.view());
      const auto got = q.host();
      for (size_t j = 0; j < got.size(); ++j) total[j] += got[j];
    }
    for (const double v : total) EXPECT_EQ(v, 3);
  }
}

// Rows of every length that a backend treats differently, against a sort: random, with ties, and such that a sample of evenly spread coordinates
// sees what is small or what is large alone.
TEST_P(CompressKeep, LongRowsAgainstASort) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const int64_t P : {int64_t{27000}, int64_t{60000}, int64_t{8192 * 12 + 5}})
      for (const char* kind : {"random", "ties", "small seen", "large seen"})
        for (const int64_t k : {int64_t{40}, P / 100, P / 3}) {
          std::vector<T> v = Matrix<T>(Backend::cpu, 1, P, 3).dense();
          const std::string shape = kind;
          for (int64_t j = 0; j < P; ++j) {
            T& value = v[static_cast<size_t>(j)];
            if (shape == "ties") value = std::round(8 * value) / 8;
            const bool seen = j % (P / 8192) == 0;
            if (shape == "small seen" && !seen) value *= 100;
            if (shape == "large seen" && !seen) value /= 100;
          }
          std::vector<int64_t> order(v.size());
          std::iota(order.begin(), order.end(), int64_t{0});
          std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
            return std::abs(v[static_cast<size_t>(i)]) > std::abs(v[static_cast<size_t>(j)]);
          });
          std::vector<T> expected(v.size());
          for (int64_t i = 0; i < k; ++i) {
            const auto j = static_cast<size_t>(order[static_cast<size_t>(i)]);
            expected[j] = static_cast<T>(1.5) * v[j];
          }
          const test::Rows rows(b, workers(1));
          const Matrix<T> x(b, 1, P, v), q(b, 1, P, 4);
          keep<T>(ctx(), rows.view(), rows.slot(), {.k = k, .factor = 1.5}, x.cview(), q.view());
          test::expect_same_bits(q.host(), expected, shape + " " + std::to_string(P) + " " + std::to_string(k));
          const Matrix<int32_t> places(b, 1, k, 5);
          keep_places<T>(ctx(), rows.view(), rows.slot(), {.k = k}, x.cview(), places.view());
          std::sort(order.begin(), order.begin() + k);
          const auto at = places.host();
          ASSERT_TRUE(std::equal(at.begin(), at.end(), order.begin())) << shape << " " << P << " " << k;
        }
  });
}

TEST_P(CompressKeep, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows(b, workers(2));
  const Matrix<float> x(b, 2, 8, 1), q(b, 2, 8, 2), narrow(b, 2, 7, 3), y(b, 2, 3, 4);
  const Matrix<int32_t> places(b, 2, 3, std::vector<int32_t>{0, 1, 2, 3, 4, -1}), more(b, 2, 4, 6);
  const auto run = [&](const KeepRule& rule, const Matrix<float>& to) {
    keep<float>(ctx(), rows.view(), rows.slot(), rule, x.cview(), to.view());
  };
  EXPECT_NO_THROW(run({.k = 8}, q));
  EXPECT_THROW(run({.k = 9}, q), std::logic_error);
  EXPECT_THROW(run({.k = 0}, q), std::logic_error);
  EXPECT_THROW(run({.which = Which::block, .blocks = 9}, q), std::logic_error);
  EXPECT_THROW(run({.which = Which::block, .dwell = 0}, q), std::logic_error);
  EXPECT_THROW(run({.k = 1}, narrow), std::logic_error);
  EXPECT_THROW(run({.k = 1}, x), std::logic_error);
  EXPECT_THROW(keep_places<float>(ctx(), rows.view(), rows.slot(), {.k = 3}, x.cview(), more.view()), std::logic_error);
  EXPECT_NO_THROW(keep_gather<float>(ctx(), places.cview(), x.cview(), y.view()));
  EXPECT_THROW(keep_gather<float>(ctx(), more.cview(), x.cview(), y.view()), std::logic_error);
  EXPECT_NO_THROW(keep_scatter<float>(ctx(), places.cview(), 1, y.cview(), q.view()));
  EXPECT_THROW(keep_scatter<float>(ctx(), more.cview(), 1, y.cview(), q.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(CompressKeep);

}  // namespace
}  // namespace orrery
