// Directions of scalarizers; the formulas are held to float64 in tests/runtime/compression.
#include "kernels/compress_project.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using Family = ProbeRule::Family;

class CompressProject : public test::OnEachBackend {
 protected:
  static std::vector<test::RowSpec> rows_of_two_seeds() {
    return {{.seed = 3, .worker = 0}, {.seed = 3, .worker = 1}, {.seed = 4, .worker = 0}, {.seed = 4, .worker = 1}};
  }
  static std::vector<double> probes(const ProbeRule& rule, const std::vector<int32_t>& lead, int64_t P, int64_t slot) {
    const test::Rows rows(GetParam(), rows_of_two_seeds(), slot);
    const Buffer<int32_t> leads(ctx(), lead);
    const auto n = static_cast<int64_t>(lead.size());
    const Matrix<double> psi(GetParam(), n, P, 1, P + 3);
    probe_fill(ctx(), rows.view(), rows.slot(), rule, leads.view(), psi.view());
    return psi.host();
  }
  static double length(const double* at, int64_t P) {
    double sum = 0;
    for (int64_t j = 0; j < P; ++j) sum += at[j] * at[j];
    return std::sqrt(sum);
  }
};

TEST_P(CompressProject, DirectionsHaveLengthOne) {
  for (const int64_t P : {2, 10, 1000, 1500, 20000})
    for (const int64_t slot : {0, 1, 77}) {
      const auto psi = probes({.family = Family::trigonometric, .frequency = 0.37}, {0}, P, slot);
      EXPECT_NEAR(length(psi.data(), P), 1, 1e-12);
      const auto normal = probes({.family = Family::normal, .alike = false}, {0, 3}, P, slot);
      EXPECT_NEAR(length(normal.data(), P), 1, 1e-12);
      EXPECT_NEAR(length(normal.data() + P, P), 1, 1e-12);
    }
}

// Alike: the worker does not matter, the replica does; dwell holds a direction. Else every worker has its own.
TEST_P(CompressProject, WhoSharesADirection) {
  const auto alike = probes({.family = Family::normal, .dwell = 3}, {0, 1, 2}, 10, 3),
             held = probes({.family = Family::normal, .dwell = 3}, {0, 1, 2}, 10, 5),
             later = probes({.family = Family::normal, .dwell = 3}, {0, 1, 2}, 10, 6),
             own = probes({.family = Family::normal, .alike = false}, {0, 1, 2}, 10, 3);
  const auto row = [](const std::vector<double>& psi, int64_t m) {
    return std::vector<double>(psi.begin() + 10 * m, psi.begin() + 10 * (m + 1));
  };
  EXPECT_EQ(row(alike, 0), row(alike, 1));
  EXPECT_NE(row(alike, 0), row(alike, 2));
  EXPECT_EQ(alike, held);
  EXPECT_NE(alike, later);
  EXPECT_NE(row(own, 0), row(own, 1));
}

TEST_P(CompressProject, GivenDirectionsCycle) {
  const Matrix<double> given(GetParam(), 3, 5, 8);
  for (int64_t slot = 0; slot < 8; ++slot) {
    const auto psi = probes({.family = Family::cycle, .dwell = 2, .given = given.cview()}, {0}, 5, slot);
    EXPECT_EQ(psi, (std::vector<double>(given.dense().begin() + slot / 2 % 3 * 5,
                                        given.dense().begin() + (slot / 2 % 3 + 1) * 5)));
  }
}

// one launch is the two halves of it, and rows take the direction they are told to
TEST_P(CompressProject, HalvesAreTheWhole) {
  const Backend b = GetParam();
  const int64_t n = 4;
  test::for_float_and_double([&]<class T>() {
    for (const int64_t P : {1, 7, 1025}) {
      const Matrix<double> psi(b, 2, P, 1);
      const Buffer<int32_t> which(ctx(), std::vector<int32_t>{1, 0, 0, 1});
      const Matrix<T> x(b, n, P, 2, P + 1), q(b, n, P, 3, P + 2), y(b, n, 1, 4, 2), z(b, n, 1, 5), r(b, n, P, 6);
      scalarize<T>(ctx(), psi.cview(), which.view(), 2, x.cview(), y.view(), q.view());
      scalarize<T>(ctx(), psi.cview(), which.view(), 2, x.cview(), z.view(), {});
      scalarize<T>(ctx(), psi.cview(), which.view(), 2, {}, z.view(), r.view());
      EXPECT_EQ(y.host(), z.host());
      EXPECT_EQ(q.host(), r.host());
      test::Near near("products");
      for (int64_t k = 0; k < n; ++k) {
        double sum = 0, size = 0;
        for (int64_t j = 0; j < P; ++j) {
          const double term = psi.initial(k == 0 || k == 3, j) * x.initial(k, j);
          sum += term, size += std::abs(term);
        }
        near(y.host()[static_cast<size_t>(k)], sum,
             test::unit<T> * std::abs(sum) + static_cast<double>(P) * test::unit<double> * size, k);
      }
    }
  });
}

TEST_P(CompressProject, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Matrix<double> psi(b, 1, 5, 1), given(b, 2, 4, 2);
  const Buffer<int32_t> which(ctx(), std::vector<int32_t>{0, 0}), lead(ctx(), std::vector<int32_t>{0});
  const Matrix<float> x(b, 2, 5, 2), narrow(b, 2, 4, 3), y(b, 2, 1, 4), few(b, 1, 1, 5), q(b, 2, 5, 6);
  const auto run = [&](const Matrix<float>& from, const Matrix<float>& to, const Matrix<float>& out) {
    scalarize<float>(ctx(), psi.cview(), which.view(), 1, from.cview(), to.view(), out.view());
  };
  EXPECT_NO_THROW(run(x, y, q));
  EXPECT_THROW(run(narrow, y, q), std::logic_error);
  EXPECT_THROW(run(x, few, q), std::logic_error);
  EXPECT_THROW(run(x, y, narrow), std::logic_error);
  const test::Rows rows(b, rows_of_two_seeds());
  EXPECT_THROW(probe_fill(ctx(), rows.view(), rows.slot(), {.family = Family::cycle, .given = given.cview()},
                          lead.view(), psi.view()),
               std::logic_error);
  EXPECT_THROW(probe_fill(ctx(), rows.view(), rows.slot(), {.dwell = 0}, lead.view(), psi.view()), std::logic_error);
  EXPECT_THROW(probe_fill(ctx(), rows.view(), rows.slot(), {}, which.view(), psi.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(CompressProject);

}  // namespace
}  // namespace orrery
