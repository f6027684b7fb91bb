#include "kernels/sign_pack.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;

class SignPack : public test::OnEachBackend {};

// Rows of two replicas; a third of the numbers is zero of either sign, and one is a NaN.
template <class T>
std::vector<T> gradients(int64_t rows, int64_t P) {
  const Stream s(5, Draw::initial, 9, 0);
  std::vector<T> g(static_cast<size_t>(rows * P));
  for (size_t i = 0; i < g.size(); ++i) {
    const auto at = static_cast<uint32_t>(i);
    g[i] = s.bits(2 * at) % 3 == 0 ? (at % 2 ? T{0} : -T{0}) : static_cast<T>(1e-30 * s.normal(2 * at + 1));
  }
  g.back() = std::numeric_limits<T>::quiet_NaN();
  return g;
}
test::Rows workers(Backend b, int64_t n) {
  std::vector<test::RowSpec> specs;
  for (int64_t r = 0; r < n; ++r)
    specs.push_back({.seed = static_cast<uint64_t>(50 + r / 3), .worker = static_cast<int32_t>(r % 3)});
  return {b, specs, 17};
}

TEST_P(SignPack, MatchesTheSignOfEachNumber) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int64_t n : {1, 5})
      for (int64_t P : {1, 31, 32, 33, 1000}) {
        const auto dense = gradients<T>(n, P);
        const Matrix<T> g(b, n, P, dense, P + 3);
        const test::Rows rows = workers(b, n);
        for (SignZero rule : test::kRules)
          for (bool second : {false, true}) {
            if (rule == SignZero::zero && !second) continue;
            const Signs out(b, test::trits(n, P, 1, true), second);
            sign_pack<T>(ctx(), rows.view(), rows.slot(), rule, g.cview(), out.view());
            const Trits got = out.host();
            for (int64_t r = 0; r < n; ++r) {
              const Stream coins(rows.spec(r).seed, Draw::sign_zero, static_cast<uint32_t>(rows.spec(r).worker), 17);
              for (int64_t j = 0; j < P; ++j) {
                const T v = dense[static_cast<size_t>(r * P + j)];
                const bool up = rule == SignZero::plus || (coins.bits(static_cast<uint32_t>(j / 32)) >> (j % 32) & 1u);
                const int of_zero = rule == SignZero::zero ? 0 : up ? 1 : -1;
                ASSERT_EQ(got(r, j), v > 0    ? 1
                                     : v == 0 ? of_zero
                                              : -1)
                    << "row " << r << " coordinate " << j << " is " << v << ", zeros " << test::name_of(rule);
              }
            }
          }
      }
  });
}

// The coins are fair, differ from worker to worker and step to step, and do not depend on threads.
TEST_P(SignPack, RandomZerosAreFair) {
  const Backend b = GetParam();
  const int64_t n = 6, P = 20000;
  const Matrix<float> g(b, n, P, std::vector<float>(static_cast<size_t>(n * P)));
  const test::Rows rows = workers(b, n);
  const auto run = [&](int64_t later) {
    const Signs out(b, test::trits(n, P, 1, true), false);
    sign_pack<float>(ctx(), rows.view(), rows.slot().plus(later), SignZero::random, g.cview(), out.view());
    return out.host();
  };
  const Trits now = run(0), then = run(1);
  const double four_sigma = 4 * std::sqrt(static_cast<double>(P));
  for (int64_t r = 0; r < n; ++r) {
    double sum = 0, with_next = 0, with_then = 0;
    for (int64_t j = 0; j < P; ++j) {
      sum += now(r, j);
      with_next += now(r, j) * now((r + 1) % n, j);
      with_then += now(r, j) * then(r, j);
    }
    EXPECT_LT(std::abs(sum), four_sigma);
    EXPECT_LT(std::abs(with_next), four_sigma);
    EXPECT_LT(std::abs(with_then), four_sigma);
  }
  test::expect_same_bits_for_any_threads([&] { return run(0).y; });
}

TEST_P(SignPack, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows = workers(b, 3);
  const Matrix<float> g(b, 3, 40, 1), wide(b, 3, 41, 1);
  const Signs one(b, test::trits(3, 40, 1, false), false), few(b, test::trits(2, 40, 1, false), true);
  EXPECT_THROW(sign_pack<float>(ctx(), rows.view(), rows.slot(), SignZero::zero, g.cview(), one.view()),
               std::logic_error);
  EXPECT_THROW(sign_pack<float>(ctx(), rows.view(), rows.slot(), SignZero::plus, wide.cview(), one.view()),
               std::logic_error);
  EXPECT_THROW(sign_pack<float>(ctx(), rows.view(), rows.slot(), SignZero::plus, g.cview(), few.view()),
               std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SignPack);

}  // namespace
}  // namespace orrery
