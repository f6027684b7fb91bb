// PowerSGD: exact at its rank, a projection, power iteration over steps, means over the workers of a replica.
#include "tests/runtime/compression/compressions.hpp"

namespace orrery {
namespace {

using test::Matrix;

class PowerSgdTest : public test::OnEachBackend {};

// n matrices (n1, n2) of rank r that follow from key
std::vector<double> low_rank(int64_t n, int64_t n1, int64_t n2, int64_t r, uint32_t key) {
  const std::vector<double> u = Matrix<double>(Backend::cpu, n, n1 * r, key).dense(),
                            v = Matrix<double>(Backend::cpu, n, n2 * r, key + 1).dense();
  std::vector<double> m(static_cast<size_t>(n * n1 * n2));
  for (int64_t k = 0; k < n; ++k)
    for (int64_t i = 0; i < n1; ++i)
      for (int64_t j = 0; j < n2; ++j)
        for (int64_t a = 0; a < r; ++a)
          m[static_cast<size_t>((k * n1 + i) * n2 + j)] +=
              u[static_cast<size_t>((k * n1 + i) * r + a)] * v[static_cast<size_t>((k * n2 + j) * r + a)];
  return m;
}
std::string text(int64_t rank, bool shared) {
  return "kind = 'power-sgd'\nrank = " + std::to_string(rank) + (shared ? "" : "\nshared = false");
}
double worst(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

// A.8: a matrix of rank r is reproduced to 1e-13 in one iteration; vectors beside it are sent whole.
TEST_P(PowerSgdTest, ReproducesItsRank) {
  const Backend b = GetParam();
  const int64_t n = 3, n1 = 12, n2 = 9, bias = 5, P = n1 * n2 + bias;
  const BankShape shape{.parameters = P, .tensors = {{n1, 3, n2 / 3}, {bias}}};
  for (const int64_t rank : {1, 2, 4}) {
    const std::vector<double> m = low_rank(n, n1, n2, rank, 5);
    std::vector<double> x(static_cast<size_t>(n * P), 0.5);
    for (int64_t r = 0; r < n; ++r) std::copy_n(m.begin() + r * n1 * n2, n1 * n2, x.begin() + r * P);
    const auto spec = test::compressor_of(text(rank, false));
    EXPECT_EQ(spec->bits(shape, 32, 0), 32 * (rank * (n1 + n2) + bias));
    const test::Rows rows(b, test::two_replicas(n), 6);
    const Matrix<double> in(b, n, P, x, P + 1), q(b, n, P, 2, P + 4);
    const auto bound = spec->bind(ctx(), rows.view(), shape, double{});
    bound->apply(ctx(), rows.view(), rows.slot(), in.cview(), q.view());
    EXPECT_LT(worst(q.host(), x), 1e-13 * static_cast<double>(10 * rank)) << rank;
    // zero, and nothing but zero: the basis is drawn anew and the next matrix is exact again
    const Matrix<double> zero(b, n, P, std::vector<double>(static_cast<size_t>(n * P)));
    bound->apply(ctx(), rows.view(), rows.slot(), zero.cview(), q.view());
    for (const double v : q.host()) ASSERT_EQ(v, 0);
    bound->apply(ctx(), rows.view(), rows.slot(), in.cview(), q.view());
    EXPECT_LT(worst(q.host(), x), 1e-13 * static_cast<double>(10 * rank)) << rank;
  }
}

// C is the projection of M on the span of M R^T, R kept: the formula in float64, step after step.
TEST_P(PowerSgdTest, FollowsThePowerIteration) {
  const Backend b = GetParam();
  const int64_t n1 = 7, n2 = 11, P = n1 * n2;
  const BankShape shape{.parameters = P, .tensors = {{n1, n2}}};
  const test::Rows rows(b, test::two_replicas(1), 6);
  const Matrix<double> x(b, 1, P, 12), q(b, 1, P, 2);
  const auto spec = test::compressor_of(text(1, false));
  const auto bound = spec->bind(ctx(), rows.view(), shape, double{});
  const auto m = [&](int64_t i, int64_t j) { return x.initial(0, i * n2 + j); };
  std::vector<double> right;
  const Stream draws(rows.spec(0).seed, Draw::compression_probe, 0, 6);
  for (uint32_t j = 0; j < n2; ++j) right.push_back(draws.normal(j));
  double before = HUGE_VAL;
  for (int step = 0; step < 30; ++step) {
    bound->apply(ctx(), rows.view(), rows.slot(), x.cview(), q.view());
    std::vector<double> left(static_cast<size_t>(n1));
    double length = 0, error = 0;
    for (int64_t i = 0; i < n1; ++i)
      for (int64_t j = 0; j < n2; ++j) left[static_cast<size_t>(i)] += m(i, j) * right[static_cast<size_t>(j)];
    for (const double v : left) length += v * v;
    for (double& v : left) v /= std::sqrt(length);
    std::fill(right.begin(), right.end(), 0);
    for (int64_t i = 0; i < n1; ++i)
      for (int64_t j = 0; j < n2; ++j) right[static_cast<size_t>(j)] += m(i, j) * left[static_cast<size_t>(i)];
    const auto got = q.host();
    for (int64_t i = 0; i < n1; ++i)
      for (int64_t j = 0; j < n2; ++j) {
        const double want = left[static_cast<size_t>(i)] * right[static_cast<size_t>(j)];
        ASSERT_NEAR(got[static_cast<size_t>(i * n2 + j)], want, 1e-11) << "step " << step;
        error += (m(i, j) - want) * (m(i, j) - want);
      }
    EXPECT_LE(error, before * (1 + 1e-12)) << "step " << step;  // the basis turns towards the largest singular value
    before = error;
  }
}

// shared: every worker of a replica has the same C, which is that of the mean where the mean has the rank; replicas never mix.
TEST_P(PowerSgdTest, SharedFactorsAreThoseOfTheMean) {
  const Backend b = GetParam();
  const int64_t n = 6, n1 = 8, n2 = 6, bias = 3, P = n1 * n2 + bias;
  const BankShape shape{.parameters = P, .tensors = {{n1, n2}, {bias}}};
  // all workers of a replica see the same two directions, in shares of their own
  const std::vector<double> m = low_rank(2, n1, n2, 2, 31);
  Matrix<double> x(b, n, P, 3);
  std::vector<double> values = x.dense(), mean(static_cast<size_t>(2 * P));
  for (int64_t r = 0; r < n; ++r)
    for (int64_t j = 0; j < n1 * n2; ++j)
      values[static_cast<size_t>(r * P + j)] =
          (1 + static_cast<double>(r % 3)) * m[static_cast<size_t>(r / 3 * n1 * n2 + j)];
  for (int64_t r = 0; r < n; ++r)
    for (int64_t j = 0; j < P; ++j)
      mean[static_cast<size_t>(r / 3 * P + j)] += values[static_cast<size_t>(r * P + j)] / 3;
  const Matrix<double> in(b, n, P, values), q(b, n, P, 4);
  const test::Rows rows(b, test::two_replicas(n), 2);
  const auto spec = test::compressor_of(text(2, true));
  EXPECT_TRUE(spec->traits(shape).alike);
  EXPECT_TRUE(spec->traits(shape).keeps_state);
  const auto bound = spec->bind(ctx(), rows.view(), shape, double{});
  bound->apply(ctx(), rows.view(), rows.slot(), in.cview(), q.view());
  for (int64_t r = 0; r < n; ++r) {
    const auto row = q.host_row(r);
    test::expect_same_bits(row, q.host_row(r / 3 * 3), "workers of a replica");
    EXPECT_LT(worst(row, {mean.begin() + r / 3 * P, mean.begin() + (r / 3 + 1) * P}), 1e-12);
  }
  ASSERT_EQ(bound->state().size(), 1u);
  EXPECT_EQ(bound->state()[0].extent(1), 2 * n2);
}

ORRERY_ON_EACH_BACKEND(PowerSgdTest);

}  // namespace
}  // namespace orrery
