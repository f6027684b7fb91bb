// The laws of every registered model, through the public interface alone. A new model needs one line in `tables_of`
// here.
#include "models/model.hpp"

#include <map>

#include "kernels/descend.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Storage;

constexpr int64_t kFeatures = 4, kWorkers = 3;
constexpr int kClasses = 3;
constexpr int32_t kSizes[kWorkers] = {5, 70, 1};  // samples of each worker
constexpr int64_t kSamples = 76;

// [model] tables to test each kind with.
std::vector<std::string> tables_of(const std::string& kind) {
  static const std::map<std::string, std::vector<std::string>> tables{
      {"quadratic",
       {"dimension = 5\ncurvature = 2\ncenter = -1.5\nnoise = 0.7",
        "curvature = [[1, 0.5, 3], [2, 2, 0], [0.1, 4, 1]]\ncenter = [0.3, -1, 2]\nnoise = 0.2",
        "curvature = [3, 0.25]\ncenter = [[1, 2], [-3, 0], [0.5, 0.5]]"}},
      {"softmax", {"l2 = 0", "l2 = 0.15"}},
      {"mlp", {"hidden = [4, 3]\nactivation = \"tanh\"", "hidden = [4, 3]\nactivation = \"tanh\"\nl2 = 0.15"}},
      {"logistic", {"positive = [1]", "positive = [0, 2]\nl2 = 0.15\nbias = false"}}};
  const auto found = tables.find(kind);
  return found == tables.end() ? std::vector<std::string>() : found->second;
}

std::vector<test::RowSpec> worker_rows(int32_t batch, double rate) {
  std::vector<test::RowSpec> rows;
  int32_t first = 0;
  for (int32_t w = 0; w < kWorkers; ++w) {
    rows.push_back({.seed = 6,
                    .worker = w,
                    .learning_rate = 0.05 + 0.02 * w,
                    .rate = rate,
                    .batch = w == 1 && batch > 0 ? batch + 2 : batch,
                    .samples = test::range_of(first, kSizes[w])});
    first += kSizes[w];
  }
  return rows;
}

// A model bound to three workers of unequal size. Rows 0..2 of the sample weights are the workers alone, row 3 is all
// of them.
template <class T>
struct Bench {
  static constexpr double a[kWorkers] = {0.2, 0.5, 0.3};
  Backend b;
  test::Samples train;
  Matrix<double> weights;
  std::unique_ptr<ModelSpec> spec;
  ModelInputs inputs;
  std::unique_ptr<Model<T>> model;
  std::vector<Objective> objectives;
  int64_t P;

  Bench(Backend where, const std::string& kind, const std::string& table, Storage storage = Storage::floats)
      : b(where),
        train(where, kSamples, kFeatures, kClasses, storage, 3, 0.8, storage == Storage::sparse ? 0 : 0.1),
        weights(where, 4, kSamples, sample_weights()) {
    Params p = Params::from_text("[model]\nkind = \"" + kind + "\"\n" + table + "\n", "exp.toml");
    Params m = p.table("model");
    spec = make_model(m, kWorkers);
    p.require_all_read();
    inputs = {.train = train.view(),
              .test = train.view(),
              .sample_weights = weights.cview(),
              .classes = kClasses,
              .workers = kWorkers,
              .rows = kWorkers,
              .max_batch = 6};
    model = spec->bind(test::context(b), inputs, T{});
    P = model->parameters();
    for (int64_t i = 0; i < kWorkers; ++i) {
      Objective alone{std::vector<double>(kWorkers), i};
      alone.worker_weights[static_cast<size_t>(i)] = 1;
      objectives.push_back(alone);
    }
    objectives.push_back({{a[0], a[1], a[2]}, 3});
  }

  static std::vector<double> sample_weights() {
    std::vector<double> u(4 * kSamples);
    size_t s = 0;
    for (size_t w = 0; w < kWorkers; ++w)
      for (int32_t k = 0; k < kSizes[w]; ++k, ++s) {
        u[w * kSamples + s] = 1.0 / kSizes[w];
        u[3 * kSamples + s] = a[w] / kSizes[w];
      }
    return u;
  }
  double largest_feature() const {
    double largest = 1;
    for (int64_t s = 0; s < kSamples; ++s)
      for (int64_t j = 0; j < kFeatures; ++j) largest = std::max(largest, std::abs(train.x(s, j)));
    return largest;
  }
  double f(const std::vector<T>& w, const Objective& o) const {
    return model->objective(test::context(b), Matrix<T>(b, 1, P, w).view(), {&o})[0];
  }
  // Central differences of `o` at w, and how far they may be off. Truncation: h^2 / 6 times the third derivative, for
  // softmax and logistic below 0.1 |x|^3 (p (1-p) (1-2p) < 0.097), for a quadratic 0; for an MLP it is what the step twice as wide changes (three
  // times as much). Rounding: f adds fewer than n + d + C + P + 20 terms of the sizes below.
  std::pair<std::vector<double>, double> differences(const std::vector<T>& w, const Objective& o) const {
    auto [near, allowed] = differences(w, o, 1e-4);
    if (spec->kind() == "mlp") {
      const auto wide = differences(w, o, 2e-4).first;
      double change = 0;
      for (size_t j = 0; j < near.size(); ++j) change = std::max(change, std::abs(near[j] - wide[j]));
      allowed += change;
    }
    return {near, allowed};
  }
  std::pair<std::vector<double>, double> differences(const std::vector<T>& w, const Objective& o, double h) const {
    const double x = largest_feature();
    std::vector<T> points;
    for (int64_t j = 0; j < P; ++j)
      for (double sign : {1.0, -1.0}) {
        points.insert(points.end(), w.begin(), w.end());
        points[points.size() - static_cast<size_t>(P - j)] += static_cast<T>(sign * h);
      }
    const std::vector<const Objective*> same(static_cast<size_t>(2 * P), &o);
    const auto values = model->objective(test::context(b), Matrix<T>(b, 2 * P, P, points).view(), same);
    std::vector<double> out;
    double size = 1;
    for (T v : w) size += std::abs(static_cast<double>(v)) * x;
    for (size_t j = 0; j < static_cast<size_t>(P); ++j) {
      const double up = static_cast<double>(points[2 * j * static_cast<size_t>(P) + j]);
      const double down = static_cast<double>(points[(2 * j + 1) * static_cast<size_t>(P) + j]);
      out.push_back((values[2 * j] - values[2 * j + 1]) / (up - down));
      size = std::max(size, values[2 * j]);
    }
    const double roundings = static_cast<double>(kSamples + kFeatures + kClasses + P + 20);
    return {out, h * h / 6 * 0.1 * x * x * x + roundings * test::unit<double> * size / h};
  }
};

// Every registered kind with each of its tables.
template <class F>
void for_each_model(F&& f) {
  ASSERT_FALSE(model_table().empty());
  for (const auto* entry : model_table()) {
    const auto tables = tables_of(entry->name);
    EXPECT_FALSE(tables.empty()) << "no case for the model " << entry->name << "; add one to tables_of";
    for (const auto& table : tables) {
      SCOPED_TRACE(entry->name + ": " + table);
      f(entry->name, table);
    }
  }
}

class ModelLaws : public test::OnEachBackend {};

// Full batches: worker r's gradient is the derivative of F_r; the weighted sum that of f.
TEST_P(ModelLaws, GradientsAreCentralDifferencesOfTheObjective) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const Bench<double> m(GetParam(), kind, table);
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

// f is the weighted mean of the workers' F_i. Tolerance: fewer than n + d + C + P + 20 terms in each.
TEST_P(ModelLaws, ObjectiveIsTheWeightedSumOfTheWorkers) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const Bench<double> m(GetParam(), kind, table);
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

// The fused steps, and the same steps through gradients and descend on the same draws.
// Tolerance: each path makes fewer than K = B + d + C + 30 roundings a step, on terms below `size`; an error grows by
// at most 1 + eta L a step with L = |(x, 1)|^2 / 2 + 4.5 (the largest curvature or l2 of the tables).
TEST_P(ModelLaws, LocalStepsAreGradientsAndDescents) {
  test::for_float_and_double([&]<class T>() {
    for_each_model([&](const std::string& kind, const std::string& table) {
      const Bench<T> m(GetParam(), kind, table);
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

// H v of drawn batches: along v it is the central difference of gradients(), it is symmetric, 0 for rows that skip, and the central
// differences of the base class agree. Truncation: h^2/6 |v|^3 |x|^4 (third derivatives below |x|^3; a quadratic has none; for an MLP
// it is what the step twice as wide changes). Rounding: a
// gradient has fewer than K = B + d + C + 30 roundings on terms below `size`, and is divided by h.
TEST_P(ModelLaws, HessianProductsAreDerivativesOfTheGradients) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const Bench<double> m(GetParam(), kind, table);
    const auto cells = static_cast<size_t>(kWorkers * m.P);
    const double x = std::sqrt(1 + kFeatures * m.largest_feature() * m.largest_feature());
    for (int32_t batch : {4, 0}) {
      const test::Rows rows(GetParam(), worker_rows(batch, 0.7), 4);
      const double K = (batch == 0 ? 70 : 6) + kFeatures + kClasses + 30;
      int64_t skipping = 0;
      for (int64_t s = 0; s < 6; ++s)
        for (bool shared : {false, true}) {
          const Slot slot = rows.slot().plus(s);
          const Matrix<double> w(GetParam(), shared ? 1 : kWorkers, m.P, 1), v(GetParam(), kWorkers, m.P, 2),
              other(GetParam(), kWorkers, m.P, 3);
          const auto at = shared ? w.shared(kWorkers) : w.cview();
          const auto product = [&](const Matrix<double>& direction, bool differences) {
            Matrix<double> out(GetParam(), kWorkers, m.P, 4);
            if (differences)
              m.model->Model<double>::hessian_vector(ctx(), rows.view(), slot, at, direction.cview(), out.view());
            else
              m.model->hessian_vector(ctx(), rows.view(), slot, at, direction.cview(), out.view());
            return out.host();
          };
          const auto hv = product(v, false), hu = product(other, false), by_differences = product(v, true);

          const double h = 1e-5, steps[4] = {h, -h, 2 * h, -2 * h};
          std::vector<double> ends[4];
          for (int e = 0; e < 4; ++e) {
            std::vector<double> point(cells);
            for (size_t i = 0; i < cells; ++i)
              point[i] = w.initial()[shared ? i % static_cast<size_t>(m.P) : i] + steps[e] * v.initial()[i];
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
              v_sq += v.initial()[i] * v.initial()[i];
              w_sq += std::pow(w.initial(shared ? 0 : r, j), 2);
              uhv += other.initial()[i] * hv[i], vhu += v.initial()[i] * hu[i];
              size += std::abs(other.initial()[i] * hv[i]) + std::abs(v.initial()[i] * hu[i]);
            }
            const double v_norm = std::sqrt(v_sq), w_norm = std::sqrt(w_sq);
            const double terms = 5 * x * (1 + (w_norm + 2) * x), rounding = K * test::unit<double> * terms;
            double truncation = std::pow(v_norm, 3) * std::pow(x, 4) / 6;
            if (kind == "mlp")
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
                asymmetric += (std::abs(other.initial(r, j)) + std::abs(v.initial(r, j))) *
                              (h0 * h0 * truncation + rounding / h0);
            near_symmetric(uhv, vhu, asymmetric, r);
          }
        }
      EXPECT_TRUE(skipping > 0 && skipping < 12 * kWorkers);
    }
  });
}

// The same samples stored sparse and dense give the same gradients, Hessian products, losses and steps, to the roundings of sums in another
// order: fewer than K = n + d + C + 30 on terms below `size`.
TEST_P(ModelLaws, SparseSamplesEqualDenseOnes) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const Bench<double> sparse(GetParam(), kind, table, Storage::sparse);
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

// Full batches through the fused steps as well, where the model was bound for them.
TEST_P(ModelLaws, FullBatchStepsAreStepsAlongTheObjective) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    Bench<double> m(GetParam(), kind, table);
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

// Where the optimum has a closed form the gradient of f is zero there, and f is no smaller anywhere around.
TEST_P(ModelLaws, GradientVanishesAtTheOptimum) {
  int with_optimum = 0;
  for_each_model([&](const std::string& kind, const std::string& table) {
    const Bench<double> m(GetParam(), kind, table);
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

// Several points in one call, each with its own objective, are the points one by one.
TEST_P(ModelLaws, PointsBelongToTheirObjectives) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const Bench<double> m(GetParam(), kind, table);
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

// The test set's loss carries no l2 and every sample counts alike: here it is the training set.
TEST_P(ModelLaws, TestScores) {
  for_each_model([&](const std::string& kind, const std::string& table) {
    const Bench<double> m(GetParam(), kind, table);
    const Matrix<double> w(GetParam(), 2, m.P, 3);
    if (!m.spec->needs_data()) {
      EXPECT_THROW(m.model->test(ctx(), w.view()), std::logic_error);
      return;
    }
    std::string without = table;
    if (const auto l2 = table.find("l2 = 0.15"); l2 != std::string::npos) without.replace(l2, 9, "l2 = 0");
    const Bench<double> plain(GetParam(), kind, without);
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

// The pieces of a row adjoin and make up its P parameters; bind() asks for the bytes that workspace() said.
TEST_P(ModelLaws, LayoutAndWorkspaceAreWhatTheySay) {
  test::for_float_and_double([&]<class T>() {
    for_each_model([&](const std::string& kind, const std::string& table) {
      Bench<T> m(GetParam(), kind, table);
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

ORRERY_ON_EACH_BACKEND(ModelLaws);

}  // namespace
}  // namespace orrery
