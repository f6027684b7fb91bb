// Gradients and Hessian products of every registered model against central differences.
#include "tests/models/model_laws.hpp"

namespace orrery {
namespace {

using test::for_each_model;
using test::kClasses;
using test::kFeatures;
using test::kWorkers;
using test::Matrix;
using test::ModelBench;
using test::worker_rows;

class ModelDerivatives : public test::OnEachBackend {};

// Full batches: worker r's gradient is the derivative of F_r; the weighted sum that of f.
TEST_P(ModelDerivatives, GradientsAreCentralDifferencesOfTheObjective) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const ModelBench<double> m(GetParam(), kind, table);
    const test::Rows rows(GetParam(), worker_rows(0, 1), 4);
    for (bool shared : {false, true}) {
      const Matrix<double> w(GetParam(), shared ? 1 : kWorkers, m.P, 1);
      Matrix<double> g(GetParam(), kWorkers, m.P, 2);
      m.model->gradients(ctx(), rows.view(), rows.slot(), shared ? w.shared(kWorkers) : w.cview(), g.view());
      const auto got = g.host();
      test::Near near(shared ? "shared row" : "own rows"), near_sum("weighted sum");
      for (int64_t r = 0; r < kWorkers; ++r) {
        const auto [want, allowed] = m.differences(w.host_row(shared ? 0 : r), m.objectives[static_cast<size_t>(r)]);
        for (int64_t j = 0; j < m.P; ++j)
          near(got[static_cast<size_t>(r * m.P + j)], want[static_cast<size_t>(j)], allowed, r, j);
      }
      const auto [want, allowed] = m.differences(w.host_row(0), m.objectives[3]);
      for (int64_t j = 0; j < m.P; ++j) {
        double sum = 0;
        for (size_t r = 0; r < kWorkers; ++r)
          sum += m.a[r] * got[r * static_cast<size_t>(m.P) + static_cast<size_t>(j)];
        near_sum(shared ? sum : want[static_cast<size_t>(j)], want[static_cast<size_t>(j)], allowed, 0, j);
      }
    }
  });
}

// H v of drawn batches, every row along its own v or all along one: along v it is the central difference of gradients(), it is symmetric, 0 for
// rows that skip, and the central differences of the base class agree. Truncation: h^2/6 |v|^3 |x|^4 (third derivatives below |x|^3; a
// quadratic has none; for an MLP, two wells and a factorization it is what the step twice as wide changes). Rounding: a gradient has fewer than K = B + d + C + 30 roundings on
// terms below `size`, and is divided by h.
TEST_P(ModelDerivatives, HessianProductsAreDerivativesOfTheGradients) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const ModelBench<double> m(GetParam(), kind, table);
    const auto cells = static_cast<size_t>(kWorkers * m.P);
    const double x = std::sqrt(1 + kFeatures * m.largest_feature() * m.largest_feature());
    for (int32_t batch : {4, 0}) {
      const test::Rows rows(GetParam(), worker_rows(batch, 0.7), 4);
      const double K = (batch == 0 ? 70 : 6) + kFeatures + kClasses + 30;
      int64_t skipping = 0;
      for (int64_t s = 0; s < 6; ++s)
        for (const auto& [shared, along] : {std::pair{false, false}, {true, false}, {false, true}, {true, true}}) {
          const Slot slot = rows.slot().plus(s);
          const Matrix<double> w(GetParam(), shared ? 1 : kWorkers, m.P, 1),
              v(GetParam(), along ? 1 : kWorkers, m.P, 2), other(GetParam(), kWorkers, m.P, 3);
          const auto at = shared ? w.shared(kWorkers) : w.cview(), one = along ? v.shared(kWorkers) : v.cview();
          const auto product = [&](MatrixView<const double> direction, bool differences) {
            Matrix<double> out(GetParam(), kWorkers, m.P, 4);
            if (differences)
              m.model->Model<double>::hessian_vector(ctx(), rows.view(), slot, at, direction, out.view());
            else
              m.model->hessian_vector(ctx(), rows.view(), slot, at, direction, out.view());
            return out.host();
          };
          const auto hv = product(one, false), hu = product(other.cview(), false), by_differences = product(one, true);
          const auto v_at = [&, own = !along](int64_t r, int64_t j) { return v.initial(own ? r : 0, j); };

          const double h = 1e-5, steps[4] = {h, -h, 2 * h, -2 * h};
          std::vector<double> ends[4];
          for (int e = 0; e < 4; ++e) {
            std::vector<double> point(cells);
            for (size_t i = 0; i < cells; ++i)
              point[i] = w.initial()[shared ? i % static_cast<size_t>(m.P) : i] +
                         steps[e] * v.initial()[along ? i % static_cast<size_t>(m.P) : i];
            const Matrix<double> there(GetParam(), kWorkers, m.P, point);
            Matrix<double> g(GetParam(), kWorkers, m.P, 5);
            m.model->gradients(ctx(), rows.view(), slot, there.cview(), g.view());
            ends[e] = g.host();
          }
          test::Near near("differences of gradients"), near_base("base class"), near_symmetric("u H v = v H u");
          for (int64_t r = 0; r < kWorkers; ++r) {
            double v_sq = 0, w_sq = 0, uhv = 0, vhu = 0, size = 0;
            for (int64_t j = 0; j < m.P; ++j) {
              const auto i = static_cast<size_t>(r * m.P + j);
              v_sq += v_at(r, j) * v_at(r, j);
              w_sq += std::pow(w.initial(shared ? 0 : r, j), 2);
              uhv += other.initial()[i] * hv[i], vhu += v_at(r, j) * hu[i];
              size += std::abs(other.initial()[i] * hv[i]) + std::abs(v_at(r, j) * hu[i]);
            }
            const double v_norm = std::sqrt(v_sq), w_norm = std::sqrt(w_sq);
            const double terms = 5 * x * (1 + (w_norm + 2) * x), rounding = K * test::unit<double> * terms;
            double truncation = std::pow(v_norm, 3) * std::pow(x, 4) / 6;
            if (kind == "mlp" || kind == "two-well" || kind == "factorization")
              for (size_t i = static_cast<size_t>(r * m.P); i < static_cast<size_t>((r + 1) * m.P); ++i)
                truncation = std::max(
                    truncation,
                    std::abs((ends[0][i] - ends[1][i]) / (2 * h) - (ends[2][i] - ends[3][i]) / (4 * h)) / (h * h));
            // the base class steps by h0 |v| = eps^(1/3) max(1, |w|)
            const double h0 = std::cbrt(test::unit<double>) * std::max(1.0, w_norm) / v_norm;
            const bool active = rows.active(r, s);
            skipping += !active;
            for (int64_t j = 0; j < m.P; ++j) {
              const auto i = static_cast<size_t>(r * m.P + j);
              if (!active) {
                ASSERT_EQ(hv[i], 0) << r << "," << j;
              }
              near(hv[i], (ends[0][i] - ends[1][i]) / (2 * h), h * h * truncation + rounding / h, r, j);
              near_base(hv[i], by_differences[i], h0 * h0 * truncation + rounding / h0, r, j);
            }
            double asymmetric = K * static_cast<double>(m.P) * test::unit<double> * (size + x * x);
            if (hv == by_differences)  // products that are differences themselves are off by as much
              for (int64_t j = 0; j < m.P; ++j)
                asymmetric +=
                    (std::abs(other.initial(r, j)) + std::abs(v_at(r, j))) * (h0 * h0 * truncation + rounding / h0);
            near_symmetric(uhv, vhu, asymmetric, r);
          }
        }
      EXPECT_TRUE(skipping > 0 && skipping < 24 * kWorkers);
    }
  });
}

ORRERY_ON_EACH_BACKEND(ModelDerivatives);

}  // namespace
}  // namespace orrery
