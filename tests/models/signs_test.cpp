// Signs of every registered model that packs them: those of its gradients.
#include "kernels/sign_pack.hpp"
#include "tests/kernels/votes.hpp"
#include "tests/models/model_laws.hpp"

namespace orrery {
namespace {

using test::for_each_model;
using test::kClasses;
using test::kFeatures;
using test::kWorkers;
using test::Matrix;
using test::ModelBench;
using test::Signs;
using test::worker_rows;

class ModelSigns : public test::OnEachBackend {};

// Bit for bit on the CPU. On CUDA both ways make fewer than K = B + d + C + 30 roundings on terms below `size`: where the gradient is larger
// than twice as much, its sign is certain.
TEST_P(ModelSigns, AreThoseOfTheGradients) {
  int64_t packing = 0;
  test::for_float_and_double([&]<class T>() {
    for_each_model([&](const std::string& kind, const std::string& table) {
      const ModelBench<T> m(GetParam(), kind, table);
      EXPECT_EQ(m.model->packs_signs(), m.spec->packs_signs());
      if (!m.model->packs_signs()) return;
      ++packing;
      for (int32_t batch : {4, 0})
        for (SignZero rule : test::kRules) {
          const test::Rows rows(GetParam(), worker_rows(batch, 0.7), 4);
          const Matrix<T> w(GetParam(), 1, m.P, 1), g(GetParam(), kWorkers, m.P, 2);
          const Signs direct(GetParam(), test::trits(kWorkers, m.P, 1, true), true),
              packed(GetParam(), test::trits(kWorkers, m.P, 2, true), true);
          m.model->signs(ctx(), rows.view(), rows.slot(), rule, w.shared(kWorkers), direct.view());
          m.model->gradients(ctx(), rows.view(), rows.slot(), w.shared(kWorkers), g.view());
          sign_pack<T>(ctx(), rows.view(), rows.slot(), rule, g.cview(), packed.view());
          double moved = 1;
          for (T v : w.dense()) moved = std::max(moved, std::abs(static_cast<double>(v)));
          const double x = m.largest_feature(), K = 72 + kFeatures + kClasses + 30;
          const double size = moved + (1 + kFeatures * moved * x) * (1 + x);
          const auto values = g.host();
          const test::Trits got = direct.host(), want = packed.host();
          int64_t compared = 0;
          for (int64_t r = 0; r < kWorkers; ++r)
            for (int64_t j = 0; j < m.P; ++j) {
              const double v = static_cast<double>(values[static_cast<size_t>(r * m.P + j)]);
              if (!on_cpu() && v != 0 && std::abs(v) <= 2 * K * test::unit<T> * size) continue;
              ++compared;
              ASSERT_EQ(got(r, j), want(r, j)) << "row " << r << " parameter " << j << " gradient " << v;
            }
          EXPECT_GT(compared, kWorkers * m.P / 2);
        }
    });
  });
  EXPECT_GT(packing, 0);
}

TEST_P(ModelSigns, OthersSaySo) {
  const ModelBench<float> m(GetParam(), "quadratic", "dimension = 5\ncurvature = 2\ncenter = -1.5");
  const test::Rows rows(GetParam(), worker_rows(4, 1), 4);
  const Matrix<float> w(GetParam(), 1, m.P, 1);
  const Signs out(GetParam(), test::trits(kWorkers, m.P, 1, true), true);
  EXPECT_FALSE(m.model->packs_signs());
  EXPECT_THROW(m.model->signs(ctx(), rows.view(), rows.slot(), SignZero::plus, w.shared(kWorkers), out.view()),
               std::logic_error);
}

// Bound for votes, a model gives the gradients that it gives otherwise.
TEST_P(ModelSigns, GradientsWhereWorkersVote) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const ModelBench<double> m(GetParam(), kind, table);
    ModelInputs in = m.inputs;
    in.sign_samples = 3;
    const auto voting = m.spec->bind(ctx(), in, double{});
    for (int32_t batch : {4, 0}) {
      const test::Rows rows(GetParam(), worker_rows(batch, 0.7), 4);
      const Matrix<double> w(GetParam(), 1, m.P, 1), g(GetParam(), kWorkers, m.P, 2),
          same(GetParam(), kWorkers, m.P, 3);
      m.model->gradients(ctx(), rows.view(), rows.slot(), w.shared(kWorkers), g.view());
      voting->gradients(ctx(), rows.view(), rows.slot(), w.shared(kWorkers), same.view());
      if (on_cpu()) {
        test::expect_same_bits(g.host(), same.host(), kind);
        continue;
      }
      const auto a = g.host(), b = same.host();
      double moved = 1;
      for (double v : w.dense()) moved = std::max(moved, std::abs(v));
      const double x = m.largest_feature(), K = 72 + kFeatures + kClasses + 30;
      test::Near near(kind);
      for (size_t i = 0; i < a.size(); ++i)
        near(a[i], b[i], 2 * K * test::unit<double> * (moved + (1 + kFeatures * moved * x) * (1 + x)),
             static_cast<int64_t>(i));
    }
  });
}

// The room for a pass is planned where signs are asked for, and grows with the samples up to its bound.
TEST_P(ModelSigns, AreInThePlan) {
  const ModelBench<float> m(GetParam(), "mlp", "hidden = [4, 3]");
  ModelInputs in = m.inputs;
  const auto bytes = [&](int64_t samples) {
    in.sign_samples = samples;
    return m.spec->scratch(GetParam(), in, kFeatures, 4);
  };
  EXPECT_GT(bytes(64), bytes(0));
  EXPECT_GT(bytes(512), bytes(64));
  in.workspace_bytes = 1;
  EXPECT_EQ(bytes(512), bytes(64));
}

ORRERY_ON_EACH_BACKEND(ModelSigns);

}  // namespace
}  // namespace orrery
