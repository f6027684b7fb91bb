// The largest eigenvalue by Lanczos against the dense solver.
#include "runtime/curvature/top_eigenvalue.hpp"

#include "tests/runtime/curvature/dense.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery {
namespace {

using test::products_with;
using test::Vector;

TEST(TopEigenvalue, OfSmallMatricesIsThatOfTheDenseSolver) {
  const TopEigenvalue t1h = top_eigenvalue(products_with(test::diagonal(test::t1h(1).mean_hessian()), 3), 30, {});
  test::expect_printed(t1h.value, "2.42741531", "T1h");
  EXPECT_TRUE(t1h.exact);
  const Vector H = test::random_symmetric(64, 4, 2);
  int64_t count = 0;
  const TopEigenvalue top = top_eigenvalue(products_with(H, 5, &count), 30, {});
  EXPECT_NEAR(top.value, test::top_of(H), 1e-12);
  EXPECT_EQ(count, 64);
  EXPECT_EQ(top.products, 64);
}

// theta is below the eigenvalue, and an eigenvalue lies within the residual of it; to 1e-10 where the steps allow, the default within 1e-4.
TEST(TopEigenvalue, LanczosConvergesToTheDenseSolver) {
  for (const double shift : {0.0, 2.0, 10.0}) {  // positive definite, indefinite, all eigenvalues below 0
    const Vector H = test::random_symmetric(150, 9, shift);
    const double want = test::top_of(H);
    const TopEigenvalue exact = lanczos(products_with(H, 1), 150, {.seed = 3, .step = 5}, 1e-9);
    EXPECT_NEAR(exact.value, want, 1e-10) << shift;
    EXPECT_LT(exact.products, 150) << shift;
    int64_t count = 0;
    const TopEigenvalue rough = top_eigenvalue(products_with(H, 1, &count), 60, {.seed = 3, .step = 5});
    EXPECT_LE(rough.value, want + 1e-12) << shift;
    EXPECT_NEAR(rough.value, want, std::max(rough.residual, 1e-12)) << shift;
    EXPECT_NEAR(rough.value, want, 1e-4 * std::abs(want) + 1e-12) << shift;
    EXPECT_EQ(count, rough.products) << shift;
    EXPECT_FALSE(rough.exact);
  }
}

// Without reorthogonalisation converged eigenvalues come back as copies and vectors lose rank: all 90 steps stay orthogonal here.
TEST(TopEigenvalue, LanczosSurvivesWidelySpreadEigenvalues) {
  Vector d(90);
  for (size_t i = 0; i < d.size(); ++i) d[i] = std::pow(0.7, static_cast<double>(i));
  EXPECT_NEAR(lanczos(products_with(test::diagonal(d), 1), 90, {}, 0).value, 1, 1e-14);
}

TEST(TopEigenvalue, LanczosEndsWhereTheSpaceIsExhausted) {
  Vector d(100, 1.0);  // two eigenvalues: two steps
  for (size_t i = 0; i < 50; ++i) d[i] = -3;
  const TopEigenvalue two = lanczos(products_with(test::diagonal(d), 1), 30, {}, 0);
  EXPECT_NEAR(two.value, 1, 1e-13);
  EXPECT_LE(two.products, 3);
  const TopEigenvalue zero = lanczos(products_with(Vector(100 * 100), 1), 30, {}, 1e-4);
  EXPECT_EQ(zero.value, 0);
  EXPECT_EQ(zero.products, 1);
}

TEST(TopEigenvalue, StopsAfterTheGivenStepsAndFollowsFromItsKey) {
  const Vector H = test::random_symmetric(200, 6);
  const auto at = [&](ProbeKey key) { return lanczos(products_with(H, 1), 5, key, 1e-4); };
  EXPECT_EQ(at({1, 1}).products, 5);
  EXPECT_EQ(at({1, 1}).value, at({1, 1}).value);
  EXPECT_NE(at({1, 1}).value, at({1, 2}).value);
}

TEST(TopEigenvalue, NumbersThatAreNotFiniteShow) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(top_eigenvalue(products_with(Vector(9, nan), 1), 30, {}).value));
  EXPECT_TRUE(std::isnan(lanczos(products_with(Vector(100, nan), 1), 30, {}, 1e-4).value));
  EXPECT_THROW(lanczos(products_with({1}, 1), 0, {}, 1e-4), std::logic_error);
}

}  // namespace
}  // namespace orrery
