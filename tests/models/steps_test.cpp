// Local steps of every registered model: fused ones are gradients and descents.
#include "kernels/descend.hpp"
#include "tests/models/model_laws.hpp"

namespace orrery {
namespace {

using test::for_each_model;
using test::kClasses;
using test::kFeatures;
using test::kSamples;
using test::kWorkers;
using test::Matrix;
using test::ModelBench;
using test::worker_rows;

class ModelSteps : public test::OnEachBackend {};

// The fused steps, and the same steps through gradients and descend on the same draws.
// Tolerance: each path makes fewer than K = B + d + C + 30 roundings a step, on terms below `size`; an error grows by
// at most 1 + eta L a step with L = |(x, 1)|^2 / 2 + 4.5 (the largest curvature or l2 of the tables).
TEST_P(ModelSteps, LocalStepsAreGradientsAndDescents) {
  test::for_float_and_double([&]<class T>() {
    for_each_model([&](const std::string& kind, const std::string& table) {
      const ModelBench<T> m(GetParam(), kind, table);
      for (int32_t batch : {4, 0}) {
        if (batch == 0 && m.spec->needs_data())
          continue;  // more samples than the launches of local steps were bound for
        const test::Rows rows(GetParam(), worker_rows(batch, 0.7), 4);
        const int64_t steps = 5;
        Matrix<T> fused(GetParam(), kWorkers, m.P, 1), single(GetParam(), kWorkers, m.P, 1),
            g(GetParam(), kWorkers, m.P, 2);
        m.model->local_steps(ctx(), rows.view(), rows.slot(), steps, fused.view(), {});
        int64_t taken = 0;
        for (int64_t s = 0; s < steps; ++s) {
          m.model->gradients(ctx(), rows.view(), rows.slot().plus(s), single.view(), g.view());
          descend<T>(ctx(), rows.view(), single.view(), g.view());
          for (int64_t r = 0; r < kWorkers; ++r) taken += rows.active(r, s);
        }
        EXPECT_TRUE(taken > 0 && taken < kWorkers * steps);
        EXPECT_NE(fused.host(), fused.dense());
        const auto a = fused.host(), b = single.host();
        test::Near near("w");
        const double x = m.largest_feature(), eta = 0.09, K = 6 + kFeatures + kClasses + 30;
        double size = 1, moved = 1;
        for (T v : fused.dense()) moved = std::max(moved, std::abs(static_cast<double>(v)));
        size = moved + (1 + kFeatures * moved * x) * (1 + x);
        const double grow = 1 + eta * ((kFeatures * x * x + 1) / 2 + 4.5);
        double allowed = 0;
        for (int64_t s = 0; s < steps; ++s) allowed = grow * allowed + 2 * K * test::unit<T> * size;
        for (size_t i = 0; i < a.size(); ++i) near(a[i], b[i], allowed, static_cast<int64_t>(i));
      }
    });
  });
}

// Full batches through the fused steps as well, where the model was bound for them.
TEST_P(ModelSteps, FullBatchStepsAreStepsAlongTheObjective) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    ModelBench<double> m(GetParam(), kind, table);
    m.inputs.max_batch = kSamples;
    m.model = m.spec->bind(ctx(), m.inputs, double{});
    const test::Rows rows(GetParam(), worker_rows(0, 1), 4);
    Matrix<double> w(GetParam(), kWorkers, m.P, 1);
    m.model->local_steps(ctx(), rows.view(), rows.slot(), 1, w.view(), {});
    const auto got = w.host();
    test::Near near("w");
    for (int64_t r = 0; r < kWorkers; ++r) {
      const std::vector<double> before(w.dense().begin() + r * m.P, w.dense().begin() + (r + 1) * m.P);
      const auto [want, allowed] = m.differences(before, m.objectives[static_cast<size_t>(r)]);
      const double eta = rows.spec(r).learning_rate;
      for (size_t j = 0; j < static_cast<size_t>(m.P); ++j)
        near(got[static_cast<size_t>(r * m.P) + j], before[j] - eta * want[j],
             eta * allowed + 4 * test::unit<double> * std::abs(before[j]), r, static_cast<int64_t>(j));
    }
  });
}

ORRERY_ON_EACH_BACKEND(ModelSteps);

}  // namespace
}  // namespace orrery
