#include "kernels/distances.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Distances : public test::OnEachBackend {};

constexpr int64_t kLengths[] = {1, 31, 255, 256, 257, 1000, 3000};  // below, across and past a block of 256

// The results are float64, so the oracle adds in long double.
// Tolerance: the difference counts twice in its square, the square 1, at most P - 1 sums: P + 2 roundings on each term.
TEST_P(Distances, RowDistancesMatchTheFormula) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int64_t P : kLengths) {
      const int64_t R = 5, M = 3;
      const std::vector<int64_t> index{2, 0, 0, 1, 2};
      Matrix<T> x(b, R, P, 1, P + 3), y(b, M, P, 2);
      Matrix<int64_t> which(b, 1, R, index);
      Matrix<double> to_y(b, 1, R, 3), to_zero(b, 1, R, 4);
      row_distances<T>(ctx(), x.view(), y.view(), which.vector(), to_y.vector());
      row_distances<T>(ctx(), x.view(), {}, {}, to_zero.vector());
      const auto got = to_y.host(), norms = to_zero.host();
      test::Near near("P = " + std::to_string(P));
      for (int64_t r = 0; r < R; ++r) {
        long double sum = 0, norm = 0;
        for (int64_t j = 0; j < P; ++j) {
          const long double a = x.initial(r, j), c = y.initial(index[static_cast<size_t>(r)], j);
          sum += (a - c) * (a - c);
          norm += a * a;
        }
        const double roundings = static_cast<double>(P + 2) * test::unit<double>;
        near(got[static_cast<size_t>(r)], static_cast<double>(sum), roundings * static_cast<double>(sum), r, 0);
        near(norms[static_cast<size_t>(r)], static_cast<double>(norm), roundings * static_cast<double>(norm), r, 1);
      }
    }
  });
}

// Tolerance: at most N - 1 roundings on each value.
TEST_P(Distances, SegmentSumsMatchTheFormula) {
  const Backend b = GetParam();
  for (int64_t S : {1, 7})
    for (int64_t N : kLengths) {
      Matrix<double> values(b, S, N, 5), out(b, 1, S, 6);
      segment_sums(ctx(), values.view(), out.vector());
      const auto got = out.host();
      test::Near near("N = " + std::to_string(N));
      for (int64_t s = 0; s < S; ++s) {
        long double sum = 0, size = 0;
        for (int64_t n = 0; n < N; ++n) sum += values.initial(s, n), size += std::abs(values.initial(s, n));
        near(got[static_cast<size_t>(s)], static_cast<double>(sum),
             static_cast<double>(N) * test::unit<double> * static_cast<double>(size), s, 0);
      }
    }
}

TEST_P(Distances, TotalIsExact) {
  const Backend b = GetParam();
  for (int64_t n : {1, 2, 255, 1000}) {
    Matrix<int64_t> values(b, 1, n, 7);
    int64_t want = 0;
    std::vector<int64_t> large = values.dense();
    for (auto& v : large) want += v = (v - 0x7fffffff) * 4097;  // of both signs, sums past 2^32
    EXPECT_EQ(total(ctx(), Matrix<int64_t>(b, 1, n, large).vector()), want);
  }
  EXPECT_EQ(total(ctx(), {}), 0);
}

TEST_P(Distances, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const int64_t R = 6, P = 7777;  // enough for several threads
  Matrix<float> x(b, R, P, 1), y(b, 1, P, 2);
  Matrix<int64_t> which(b, 1, R, std::vector<int64_t>(R, 0));
  const auto run = [&](int64_t first, int64_t n) {
    Matrix<double> a(b, 1, n, 3), c(b, 1, n, 4), d(b, 1, n, 5), values(b, R, P, 6);
    row_distances<float>(ctx(), x.cview().rows(first, n), y.cview(), which.vector().part(first, n), a.vector());
    row_distances<float>(ctx(), x.cview().rows(first, n), {}, {}, c.vector());
    segment_sums(ctx(), values.cview().rows(first, n), d.vector());
    auto out = a.host();
    for (const auto& more : {c.host(), d.host()}) out.insert(out.end(), more.begin(), more.end());
    return out;
  };
  test::expect_same_bits_for_any_threads([&] { return run(0, R); });
  const auto all = run(0, R);
  for (size_t r = 0; r < R; ++r)
    test::expect_same_bits(run(static_cast<int64_t>(r), 1), {all[r], all[R + r], all[2 * R + r]},
                           "alone and among others");
}

TEST_P(Distances, RefusesWrongShapes) {
  const Backend b = GetParam();
  Matrix<float> x(b, 3, 4, 1), y(b, 1, 5, 2);
  Matrix<int64_t> which(b, 1, 3, std::vector<int64_t>(3));
  Matrix<double> out(b, 1, 3, 3), few(b, 1, 2, 3);
  EXPECT_THROW(row_distances<float>(ctx(), x.view(), {}, {}, few.vector()), std::logic_error);
  EXPECT_THROW(row_distances<float>(ctx(), x.view(), y.view(), which.vector(), out.vector()), std::logic_error);
  EXPECT_THROW(row_distances<float>(ctx(), x.view(), x.view(), {}, out.vector()), std::logic_error);
  EXPECT_THROW(segment_sums(ctx(), Matrix<double>(b, 3, 4, 1, 5).view(), out.vector()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(Distances);

}  // namespace
}  // namespace orrery
