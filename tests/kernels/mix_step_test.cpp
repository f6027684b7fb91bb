#include "kernels/mix_step.hpp"

#include "tests/kernels/mix_graphs.hpp"

namespace orrery {
namespace {

using test::alone;
using test::complete;
using test::Graph;
using test::Matrix;
using test::rates;
using test::ring;
using test::sparse;
using test::star;
using test::stepped;
using test::Table;

class MixStep : public test::OnEachBackend {};

constexpr MixForm kForms[] = {MixForm::consensus, MixForm::diffusion, MixForm::combine};

// The header's formulas. Tolerance of a term: weight 1, eta 1, the step 2, the product 1 rounding; one per sum, in whatever order; the
// weights of a source that is named twice are added by the dense path. The last step of consensus: 3.
template <class T>
void expect_formula(Backend b, const Table& table, int64_t P, MixForm form, MixPath path, const std::string& what) {
  const auto got = stepped<T>(b, table, P, form, path);
  const Matrix<T> w(b, table.rows(), P, 1), g(b, table.rows(), P, 2);
  const auto eta = rates(b, table.rows()).to_host(test::context(b));
  test::Near near(what);
  for (int64_t r = 0; r < table.rows(); ++r) {
    const int64_t first = r / table.nodes() * table.nodes();
    const auto& column = table.graphs[static_cast<size_t>(r / table.nodes())][static_cast<size_t>(r % table.nodes())];
    for (int64_t j = 0; j < P; ++j) {
      double want = 0, size = 0;
      for (auto [l, a] : column) {
        const double step =
            form == MixForm::diffusion ? eta[static_cast<size_t>(first + l)] * g.initial(first + l, j) : 0;
        want += a * (w.initial(first + l, j) - step);
        size += std::abs(a) * (std::abs(w.initial(first + l, j)) + std::abs(step));
      }
      const double own = form == MixForm::consensus ? eta[static_cast<size_t>(r)] * g.initial(r, j) : 0;
      const double roundings = 6 + static_cast<double>(column.size());
      near(got[static_cast<size_t>(r * P + j)], want - own, roundings * test::unit<T> * (size + std::abs(own)), r, j);
    }
  }
}

TEST_P(MixStep, MatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  struct Case {
    std::string name;
    std::vector<Graph> graphs;
  };
  const std::vector<Case> cases{{"one node", {alone(1)}},
                                {"ring of 2", {ring(2)}},
                                {"ring", {ring(16), ring(16), ring(16)}},
                                {"star", {star(33)}},
                                {"complete", {complete(70)}},
                                {"sparse", {sparse(29, 1), sparse(29, 2), ring(29)}},
                                {"many sparse", {sparse(300, 3)}}};
  test::for_float_and_double([&]<class T>() {
    for (const Case& c : cases) {
      const Table table(b, c.graphs);
      for (int64_t P : {1, 37, 300})  // below, past a tile and its remainders, past a strip of the GPU
        for (MixForm form : kForms)
          for (MixPath path : {MixPath::sparse, MixPath::dense})
            expect_formula<T>(b, table, P, form, path,
                              c.name + (path == MixPath::dense ? ", dense, form " : ", sparse, form ") +
                                  std::to_string(static_cast<int>(form)) + ", P " + std::to_string(P));
    }
  });
}

// C5: nobody listens to anybody: consensus and diffusion are agents that each run alone.
TEST_P(MixStep, TheIdentityMatrixLeavesAgentsAlone) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const Table table(b, {alone(12)});
    for (MixPath path : {MixPath::sparse, MixPath::dense}) {
      const auto consensus = stepped<T>(b, table, 50, MixForm::consensus, path);
      EXPECT_EQ(stepped<T>(b, table, 50, MixForm::diffusion, path), consensus);
      const Matrix<T> w(b, 12, 50, 1), g(b, 12, 50, 2);
      const auto eta = rates(b, 12).to_host(test::context(b));
      test::Near near("w - eta g");
      for (int64_t r = 0; r < 12; ++r)
        for (int64_t j = 0; j < 50; ++j) {
          const double step = eta[static_cast<size_t>(r)] * g.initial(r, j);
          near(consensus[static_cast<size_t>(r * 50 + j)], w.initial(r, j) - step,
               4 * test::unit<T> * (std::abs(w.initial(r, j)) + std::abs(step)), r, j);
        }
    }
  });
}

// More columns than any strip holds.
TEST_P(MixStep, CutsWideRowsIntoStrips) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (MixPath path : {MixPath::sparse, MixPath::dense}) {
      expect_formula<T>(b, Table(b, {sparse(3, 4), ring(3)}), 2500, MixForm::diffusion, path, "few rows");
      expect_formula<T>(b, Table(b, {sparse(300, 5)}), 1001, MixForm::consensus, path, "more rows");
    }
  });
}

// So many rows that no strip of them fits on chip, and more columns than a block of the second buffer.
TEST_P(MixStep, TakesRowsThatFitNoStrip) {
  const Backend b = GetParam();
  const int64_t W = 16500, P = 100;
  const Table table(b, {ring(W)});
  test::for_float_and_double([&]<class T>() {
    expect_formula<T>(b, table, P, MixForm::consensus, MixPath::sparse, "consensus");
    expect_formula<T>(b, table, P, MixForm::diffusion, MixPath::sparse, "diffusion");
    const MixPlan<T> plan(ctx(), table.view, W, P);
    EXPECT_EQ(plan.strip() == 0, b == Backend::cuda);
    EXPECT_EQ(plan.held().size() > 0, b == Backend::cuda);
    EXPECT_LT(plan.held().extent(1), P);
  });
}

// The order that the header promises, bit for bit: with weights of 1 no product is rounded, fused or not.
TEST_P(MixStep, AddsInTheOrderOfTheSources) {
  const Backend b = GetParam();
  Graph g = sparse(40, 6);
  for (auto& column : g)
    for (auto& link : column) link.second = 1;
  const Table table(b, {g});
  test::for_float_and_double([&]<class T>() {
    const int64_t P = 83;
    const Matrix<T> w(b, 40, P, 1);
    std::vector<T> want;
    for (const auto& column : g)
      for (int64_t j = 0; j < P; ++j) {
        T sum{0};
        for (auto [l, a] : column) sum += w.dense()[static_cast<size_t>(l * P + j)];
        want.push_back(sum);
      }
    test::expect_same_bits(stepped<T>(b, table, P, MixForm::combine, MixPath::sparse), want, "sums");
  });
}

// A column, a replica alone and among others, with any number of threads: the same bits.
TEST_P(MixStep, DependsOnTheReplicaAlone) {
  const Backend b = GetParam();
  const std::vector<Graph> graphs{sparse(60, 7), ring(60), sparse(60, 8)};
  const Table all(b, graphs);
  test::for_float_and_double([&]<class T>() {
    const int64_t P = 601, W = 60;  // enough for several threads
    const auto eta = rates(b, all.rows());
    for (MixForm form : kForms)
      for (MixPath path : {MixPath::sparse, MixPath::dense}) {
        test::expect_same_bits_for_any_threads([&] { return stepped<T>(b, all, P, form, path); });
        if (path == MixPath::dense && b == Backend::cuda) continue;  // cuBLAS may choose by the count
        const auto among = stepped<T>(b, all, P, form, path);
        const Matrix<T> g(b, all.rows(), P, 2);
        for (int64_t i = 0; i < 3; ++i) {
          const Table one(b, {graphs[static_cast<size_t>(i)]});
          const MixPlan<T> plan(ctx(), one.view, W, P, path);
          Matrix<T> w(b, all.rows(), P, 1);
          mix_step<T>(ctx(), plan, form, eta.view().part(i * W, W), g.cview().rows(i * W, W), w.view().rows(i * W, W));
          std::vector<T> want = w.dense();  // the rows beside it keep their bits
          std::copy_n(among.begin() + i * W * P, W * P, want.begin() + i * W * P);
          test::expect_same_bits(w.host(), want, "replica " + std::to_string(i));
        }
        if (path == MixPath::dense) continue;
        const MixPlan<T> plan(ctx(), all.view, W, 130, path);
        Matrix<T> w(b, all.rows(), P, 1);
        mix_step<T>(ctx(), plan, form, eta.view(), g.cview().columns(7, 130), w.view().columns(7, 130));
        std::vector<T> want = w.dense();
        for (int64_t r = 0; r < all.rows(); ++r) std::copy_n(among.begin() + r * P + 7, 130, want.begin() + r * P + 7);
        test::expect_same_bits(w.host(), want, "some columns");
      }
  });
}

// Dense where it costs less: by nodes and links, and never where products would round the models.
TEST_P(MixStep, ChoosesThePathByCost) {
  const Backend b = GetParam();
  const auto dense = [&](const Graph& g, const Context& where) {
    return MixPlan<float>(where, Table(b, {g}).view, static_cast<int64_t>(g.size()), 5).dense();
  };
  const auto with_links = [](int64_t W, int64_t links) {
    Graph g(static_cast<size_t>(W));
    for (int64_t e = 0; e < links; ++e) g[static_cast<size_t>(e % W)].emplace_back(e / W, 0.1);
    return g;
  };
  EXPECT_FALSE(dense(complete(31), ctx()));
  EXPECT_TRUE(dense(complete(32), ctx()));
  EXPECT_FALSE(dense(ring(32), ctx()));
  EXPECT_TRUE(dense(with_links(80, 3200), ctx()));
  EXPECT_FALSE(dense(with_links(80, 3199), ctx()));
  const Context rounded(b, 0, Products::tf32);
  EXPECT_FALSE(dense(complete(32), rounded));
}

// Equal matrices are kept once.
TEST_P(MixStep, SharesTheMatrixOfEqualReplicas) {
  const Backend b = GetParam();
  const auto stride = [&](std::vector<Graph> graphs) {
    const Table table(b, std::move(graphs));
    return MixPlan<double>(ctx(), table.view, 12, 5, MixPath::dense).matrix_stride();
  };
  EXPECT_EQ(stride({ring(12), ring(12)}), 0);
  EXPECT_EQ(stride({ring(12), complete(12)}), 144);
}

TEST_P(MixStep, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Table table(b, {ring(6), ring(6)});
  const auto plan_of = [&](const MixTable& t, int64_t W, int64_t P) { MixPlan<float>(ctx(), t, W, P); };
  EXPECT_THROW(plan_of(table.view, 5, 4), std::logic_error);  // no whole replicas
  EXPECT_THROW(plan_of(table.view, 4, 4), std::logic_error);  // sources across replicas
  EXPECT_THROW(plan_of(table.view, 0, 4), std::logic_error);
  EXPECT_THROW(plan_of(table.view, 6, -1), std::logic_error);
  EXPECT_THROW(plan_of({}, 6, 4), std::logic_error);
  MixTable broken = table.view;
  broken.weight = broken.weight.part(0, broken.weight.size() - 1);
  EXPECT_THROW(plan_of(broken, 6, 4), std::logic_error);
  broken = table.view;
  broken.begin = broken.begin.part(0, 7);  // sources of no column
  EXPECT_THROW(plan_of(broken, 6, 4), std::logic_error);

  const MixPlan<float> plan(ctx(), table.view, 6, 4);
  Matrix<float> w(b, 12, 4, 1), g(b, 12, 4, 2), few(b, 6, 4, 3), wide(b, 12, 5, 4);
  const auto eta = rates(b, 12);
  const auto step = [&](MixForm form, VectorView<const double> rate, const Matrix<float>& along,
                        const Matrix<float>& of) { mix_step<float>(ctx(), plan, form, rate, along.view(), of.view()); };
  EXPECT_THROW(step(MixForm::combine, eta.view(), g, few), std::logic_error);
  EXPECT_THROW(step(MixForm::combine, eta.view(), g, wide), std::logic_error);
  EXPECT_THROW(step(MixForm::diffusion, eta.view(), few, w), std::logic_error);
  EXPECT_THROW(step(MixForm::consensus, eta.view(), wide, w), std::logic_error);
  EXPECT_THROW(step(MixForm::consensus, eta.view().part(0, 11), g, w), std::logic_error);
  EXPECT_THROW(step(MixForm::consensus, eta.view(), w, w), std::logic_error);
  EXPECT_EQ(w.host(), w.dense());
  step(MixForm::combine, {}, few, w);  // reads neither
  const MixPlan<float> none(ctx(), table.view, 6, 0);
  mix_step<float>(ctx(), none, MixForm::combine, {}, {}, w.view().columns(0, 0));
}

ORRERY_ON_EACH_BACKEND(MixStep);

}  // namespace
}  // namespace orrery
