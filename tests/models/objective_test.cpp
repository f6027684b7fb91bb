// Objective, optimum and test scores of every registered model.
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

class ModelObjective : public test::OnEachBackend {};

// f is the weighted mean of the workers' F_i. Tolerance: fewer than n + d + C + P + 20 terms in each.
TEST_P(ModelObjective, ObjectiveIsTheWeightedSumOfTheWorkers) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const ModelBench<double> m(GetParam(), kind, table);
    const auto w = Matrix<double>(GetParam(), 1, m.P, 7).dense();
    double sum = 0;
    for (size_t i = 0; i < kWorkers; ++i) sum += m.a[i] * m.f(w, m.objectives[i]);
    test::Near near("f");
    double size = 1;
    for (double v : w) size += std::abs(v) * m.largest_feature();
    near(m.f(w, m.objectives[3]), sum,
         static_cast<double>(kSamples + kFeatures + kClasses + m.P + 20) * test::unit<double> * (size + sum));
  });
}

// Several points in one call, each with its own objective, are the points one by one.
TEST_P(ModelObjective, PointsBelongToTheirObjectives) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const ModelBench<double> m(GetParam(), kind, table);
    const Matrix<double> w(GetParam(), 4, m.P, 3);
    const std::vector<size_t> which{2, 0, 3, 1};
    std::vector<const Objective*> objectives;
    for (size_t i : which) objectives.push_back(&m.objectives[i]);
    const auto together = m.model->objective(ctx(), w.view(), objectives);
    ASSERT_EQ(together.size(), 4u);
    test::Near near("f");
    for (size_t i = 0; i < 4; ++i) {  // the order of the sums may differ on CUDA: n terms
      const double alone = m.f(w.host_row(static_cast<int64_t>(i)), m.objectives[which[i]]);
      near(together[i], alone, static_cast<double>(kSamples + kFeatures + 20) * test::unit<double> * (1 + alone),
           static_cast<int64_t>(i));
    }
  });
}

// Where the optimum has a closed form the gradient of f is zero there, and f is no smaller anywhere around.
TEST_P(ModelObjective, GradientVanishesAtTheOptimum) {
  int with_optimum = 0;
  for_each_model([&](const std::string& kind, const std::string& table) {
    const ModelBench<double> m(GetParam(), kind, table);
    const auto x = m.model->optimum(m.objectives[3]);
    EXPECT_EQ(x.has_value(), m.spec->has_optimum());
    if (!x) return;
    ++with_optimum;
    const test::Rows rows(GetParam(), worker_rows(0, 1), 4);
    const Matrix<double> w(GetParam(), 1, m.P, *x);
    Matrix<double> g(GetParam(), kWorkers, m.P, 2);
    m.model->gradients(ctx(), rows.view(), rows.slot(), w.shared(kWorkers), g.view());
    const auto got = g.host();
    test::Near near("gradient");
    for (size_t j = 0; j < x->size(); ++j) {
      double sum = 0, size = 0;
      for (size_t r = 0; r < kWorkers; ++r) {
        sum += m.a[r] * got[r * x->size() + j];
        size += m.a[r] *
                (std::abs(got[r * x->size() + j]) + 4.5 * 4.5);  // curvature times |x| + |c|, both within the tables
      }
      near(sum, 0, (2 * kWorkers + 6) * test::unit<double> * size, 0,
           static_cast<int64_t>(j));  // x* : 2 W + 2, the sum: W, g: 2
    }
    const double least = m.f(*x, m.objectives[3]);
    for (size_t j = 0; j < x->size(); ++j)
      for (double step : {0.5, -0.5}) {
        auto beside = *x;
        beside[j] += step;
        EXPECT_GT(m.f(beside, m.objectives[3]), least) << j;
      }
  });
  EXPECT_GE(with_optimum, 3);
}

// The test set's loss carries no l2 and every sample counts alike: here it is the training set.
TEST_P(ModelObjective, TestScores) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const ModelBench<double> m(GetParam(), kind, table);
    const Matrix<double> w(GetParam(), 2, m.P, 3);
    if (!m.spec->needs_data()) {
      EXPECT_THROW(m.model->test(ctx(), w.view()), std::logic_error);
      return;
    }
    std::string without = table;
    if (const auto l2 = table.find("l2 = 0.15"); l2 != std::string::npos) without.replace(l2, 9, "l2 = 0");
    const ModelBench<double> plain(GetParam(), kind, without);
    const Matrix<double> even(GetParam(), 1, kSamples, std::vector<double>(kSamples, 1.0 / kSamples));
    ModelInputs inputs = plain.inputs;
    inputs.sample_weights = even.cview();
    const auto bound = plain.spec->bind(ctx(), inputs, double{});
    const Objective all{{1, 1, 1}, 0};
    const auto want = bound->objective(ctx(), w.view(), {&all, &all});
    const Scores got = m.model->test(ctx(), w.view());
    ASSERT_EQ(got.loss.size(), 2u);
    test::Near near("loss");
    for (size_t i = 0; i < 2; ++i) {
      near(got.loss[i], want[i], (kSamples + 20) * test::unit<double> * (1 + want[i]), static_cast<int64_t>(i));
      EXPECT_TRUE(got.hits[i] > 0 && got.hits[i] < 1) << got.hits[i];
    }
  });
}

ORRERY_ON_EACH_BACKEND(ModelObjective);

}  // namespace
}  // namespace orrery
