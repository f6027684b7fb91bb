// How every registered model stores things: sparse and dense samples, the layout of a row, the workspace.
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
using test::Storage;
using test::worker_rows;

class ModelStorage : public test::OnEachBackend {};

// The same samples stored sparse and dense give the same gradients, Hessian products, losses and steps, to the roundings of sums in another
// order: fewer than K = n + d + C + 30 on terms below `size`.
TEST_P(ModelStorage, SparseSamplesEqualDenseOnes) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const ModelBench<double> sparse(GetParam(), kind, table, Storage::sparse);
    if (!sparse.spec->needs_data()) return;
    const Matrix<float> spread(GetParam(), kSamples, kFeatures, sparse.train.spread());
    ModelInputs inputs = sparse.inputs;
    inputs.train.rows = inputs.test.rows = {};
    inputs.train.values = inputs.test.values = spread.cview();
    const auto dense = sparse.spec->bind(ctx(), inputs, double{});
    const test::Rows rows(GetParam(), worker_rows(4, 1), 4);
    const auto run = [&](Model<double>& model) {
      const Matrix<double> v(GetParam(), kWorkers, sparse.P, 2);
      Matrix<double> w(GetParam(), kWorkers, sparse.P, 1), g(GetParam(), kWorkers, sparse.P, 3),
          h(GetParam(), kWorkers, sparse.P, 4);
      model.gradients(ctx(), rows.view(), rows.slot(), w.view(), g.view());
      model.hessian_vector(ctx(), rows.view(), rows.slot(), w.view(), v.cview(), h.view());
      model.local_steps(ctx(), rows.view(), rows.slot(), 3, w.view(), {});
      auto out =
          model.objective(ctx(), w.view(), {&sparse.objectives[0], &sparse.objectives[1], &sparse.objectives[3]});
      for (const auto& bank : {g.host(), h.host(), w.host()}) out.insert(out.end(), bank.begin(), bank.end());
      for (double loss : model.test(ctx(), w.view()).loss) out.push_back(loss);
      return out;
    };
    const auto a = run(*sparse.model), b = run(*dense);
    ASSERT_EQ(a.size(), b.size());
    test::Near near("sparse and dense");
    double size = 1;
    for (double value : a) size = std::max(size, std::abs(value));
    const double x = sparse.largest_feature(), K = kSamples + kFeatures + kClasses + 30;
    for (size_t i = 0; i < a.size(); ++i)
      near(a[i], b[i], K * test::unit<double> * size * (1 + kFeatures * x * x), static_cast<int64_t>(i));
  });
}

// The pieces of a row adjoin and make up its P parameters; bind() asks for the bytes that workspace() said.
TEST_P(ModelStorage, LayoutAndWorkspaceAreWhatTheySay) {
  test::for_float_and_double([&]<class T>() {
    for_each_model([&](const std::string& kind, const std::string& table) {
      ModelBench<T> m(GetParam(), kind, table);
      EXPECT_EQ(m.spec->kind(), kind);
      EXPECT_EQ(m.spec->parameters(kFeatures, kClasses), m.P);
      int64_t at = 0;
      for (const Tensor& t : m.spec->layout(kFeatures, kClasses)) {
        EXPECT_EQ(t.offset, at) << t.name;
        int64_t size = 1;
        for (int64_t n : t.shape) size *= n;
        at += size;
      }
      EXPECT_EQ(at, m.P);
      for (int64_t bytes : {int64_t{1} << 24, int64_t{300}, int64_t{1}}) {
        m.inputs.workspace_bytes = bytes;
        m.inputs.max_batch = 10;
        const int64_t before = memory_use(GetParam()).now;
        const auto bound = m.spec->bind(ctx(), m.inputs, T{});
        EXPECT_EQ(memory_use(GetParam()).now - before, m.spec->workspace(GetParam(), m.inputs, kFeatures, sizeof(T)))
            << bytes;
      }
    });
  });
}

ORRERY_ON_EACH_BACKEND(ModelStorage);

}  // namespace
}  // namespace orrery
