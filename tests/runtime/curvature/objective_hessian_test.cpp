// Products with the Hessian of the objective, and what is estimated from them, against dense Hessians written from the formulas in float64.
#include "runtime/curvature/objective_hessian.hpp"

#include <cmath>

#include "runtime/cluster.hpp"
#include "runtime/curvature/top_eigenvalue.hpp"
#include "runtime/curvature/trace.hpp"
#include "runtime/theory/sampled_rows.hpp"
#include "tests/runtime/curvature/dense.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Vector;

class ObjectiveHessians : public test::OnEachBackend {};

// 40 workers of unequal weight: two blocks of the sum, the second one short.
std::string text(const std::string& model, const std::string& precision) {
  return "seed = 3\nsteps = 1\nprecision = \"" + precision + "\"\n" + model +
         R"([network]
workers = 40
weights = [1, 3, 2]
rates = [0.5, 1]
tiers = [{ name = "cloud", nodes = 1, period = 4 }]
[algorithm]
kind = "h-sgd"
learning_rate = 0.1
batch = 2
[record]
metrics = ["virtual_time"]
)";
}
const std::string softmax = R"([data]
name = "gaussian-mixture"
classes = 3
dimension = 4
train = 130
test = 10
[partition]
kind = "dirichlet"
alpha = 1
min_size = 1
[model]
kind = "softmax"
l2 = 0.3
init = 0.2
)";

template <class T>
struct Bench {
  Context context;
  Experiment experiment;
  Dataset host;
  std::unique_ptr<DeviceData> data;
  std::unique_ptr<ClusterOf<T>> cluster;
  std::vector<T> x;

  explicit Bench(Backend b, const std::string& model = softmax)
      : context(b), experiment(parse_experiment(text(model, sizeof(T) == 8 ? "fp64" : "fp32"), "exp.toml")) {
    const bool needs = experiment.arms[0].model->needs_data();
    std::string sentence;
    if (needs) host = load_data(experiment.arms[0], &sentence), data = std::make_unique<DeviceData>(context, host);
    cluster = std::make_unique<ClusterOf<T>>(context, experiment, Population(experiment, {0}, needs ? &host : nullptr),
                                             needs ? &host : nullptr, data.get());
    for (int64_t j = 0; j < parameters(); ++j)
      x.push_back(static_cast<T>(Stream(8, Draw::initial, 0, 0).normal(static_cast<uint32_t>(j))));
  }
  int64_t parameters() const { return cluster->model().parameters(); }
  const Lane& lane() const { return cluster->population().lanes[0]; }

  Vector times(const Vector& v, int64_t samples = 0, int64_t bytes = int64_t{32} << 20) const {
    const ObjectiveHessian<T> hessian(context, cluster->population(), parameters(), samples, bytes);
    const Buffer<T> point(context, x);
    const SymmetricProducts H =
        hessian.at(cluster->model(), cluster->rows(), cluster->slot(), 0, point.view(1, parameters()));
    Vector out;
    const auto P = static_cast<size_t>(parameters()), most = static_cast<size_t>(H.at_a_time) * P;
    for (size_t at = 0; at < v.size(); at += most) {
      const auto part = H.times({v.begin() + static_cast<std::ptrdiff_t>(at),
                                 v.begin() + static_cast<std::ptrdiff_t>(std::min(v.size(), at + most))});
      out.insert(out.end(), part.begin(), part.end());
    }
    return out;
  }

  // sum_i a_i ( (1/n_i) sum_s (diag q_s - q_s q_s^T) x x^T + l2 ), x with a constant for the bias; `samples`: of every worker, evenly spread
  Vector dense(int64_t samples = 0) const {
    const auto d = static_cast<size_t>(host.features), C = static_cast<size_t>(host.classes), P = C * (d + 1);
    Vector H(P * P);
    for (size_t w = 0; w < 40; ++w) {
      const int64_t held = lane().partition->size[w];
      const auto chosen = spread(held, samples > 0 ? samples : held);
      for (const int64_t k : chosen) {
        const auto s =
            static_cast<size_t>(lane().partition->order[static_cast<size_t>(lane().partition->begin[w] + k)]);
        Vector f(d + 1, 1.0), q(C);
        double sum = 0;
        for (size_t j = 0; j < d; ++j)
          f[j] = host.scale * static_cast<double>(host.train.values[s * d + j]) + host.shift;
        for (size_t c = 0; c < C; ++c) {
          for (size_t j = 0; j < d; ++j) q[c] += static_cast<double>(x[c * d + j]) * f[j];
          sum += q[c] = std::exp(q[c] + static_cast<double>(x[C * d + c]));
        }
        const double share = lane().objective.worker_weights[w] / static_cast<double>(chosen.size());
        const auto place = [&](size_t c, size_t j) { return j < d ? c * d + j : C * d + c; };
        for (size_t c = 0; c < C; ++c)
          for (size_t e = 0; e < C; ++e)
            for (size_t i = 0; i <= d; ++i)
              for (size_t j = 0; j <= d; ++j)
                H[place(c, i) * P + place(e, j)] +=
                    share * f[i] * f[j] * ((c == e ? q[c] / sum : 0) - q[c] / sum * q[e] / sum);
      }
    }
    for (size_t i = 0; i < C * d; ++i) H[i * P + i] += 0.3;
    return H;
  }
};

Vector directions(int64_t m, int64_t P) {
  Vector v;
  for (int64_t i = 0; i < m * P; ++i) v.push_back(Stream(4, Draw::initial, 1, 0).normal(static_cast<uint32_t>(i)));
  return v;
}

// Roundings: a logit has d + 1 terms, a product with the Hessian of a sample fewer than 6 (d + C) on terms below |x|^2 |v|; sums over a worker's
// samples and over 40 workers add some 130. `size`: the same products with absolute values everywhere, at most |x|^2 sum |v|.
template <class T>
void expect_products(const Bench<T>& b, int64_t samples) {
  const Vector H = b.dense(samples);
  const int64_t P = b.parameters();
  ASSERT_EQ(P, 15);
  const Vector v = directions(9, P), got = b.times(v, samples);
  const Vector want = test::products_with(H, 9).times(v);
  double largest = 0;
  for (const double h : H) largest = std::max(largest, std::abs(h));
  test::Near near("products");
  for (int64_t k = 0; k < 9; ++k) {
    double size = 0;
    for (int64_t j = 0; j < P; ++j) size += std::abs(v[static_cast<size_t>(k * P + j)]);
    for (int64_t j = 0; j < P; ++j)
      near(got[static_cast<size_t>(k * P + j)], want[static_cast<size_t>(k * P + j)],
           (6 * 7 + 130) * test::unit<T> * 8 * largest * size, k, j);
  }
}
TEST_P(ObjectiveHessians, AreWeightedSumsOfTheWorkers) {
  for (const int64_t samples : {0, 2, 1, 1000}) {
    SCOPED_TRACE(samples);
    expect_products(Bench<double>(GetParam()), samples);
    expect_products(Bench<float>(GetParam()), samples);
  }
}

// The same bits whatever shares a launch: one direction, a few, all.
TEST_P(ObjectiveHessians, DoNotDependOnTheChunks) {
  const auto same = [&]<class T>(T) {
    const Bench<T> b(GetParam());
    const Vector v = directions(70, 15), all = b.times(v);
    for (const int64_t bytes : {int64_t{1}, int64_t{7 * 32 * 15} * int64_t{sizeof(T)}})
      EXPECT_EQ(b.times(v, 0, bytes), all);
    for (size_t k = 0; k < 70; k += 23) {
      const auto at = [&](const Vector& of) { return Vector(of.begin() + k * 15, of.begin() + (k + 1) * 15); };
      EXPECT_EQ(b.times(at(v)), at(all)) << k;
    }
  };
  same(double{});
  if (GetParam() == Backend::cpu) same(float{});  // cuBLAS may choose by the number of rows
}

// Traces and eigenvalues of the model are those of the dense Hessian: exact with unit vectors, inside 4 standard errors with 12 probes.
TEST_P(ObjectiveHessians, GiveTheTraceAndTheLargestEigenvalue) {
  const Bench<double> b(GetParam());
  const Vector H = b.dense();
  const SymmetricProducts products{15, 1024, [&](const Vector& v) { return b.times(v); }};
  EXPECT_NEAR(trace(products, 100, {}).value / test::trace_of(H), 1, 1e-12);
  EXPECT_NEAR(top_eigenvalue(products, 30, {}).value / test::top_of(H), 1, 1e-12);
  EXPECT_NEAR(lanczos(products, 15, {}, 1e-9).value / test::top_of(H), 1, 1e-10);
  double off = 0;
  for (size_t i = 0; i < 15; ++i)
    for (size_t j = 0; j < 15; ++j) off += i == j ? 0 : H[i * 15 + j] * H[i * 15 + j];
  const TraceEstimate t = hutchinson(products, 12, {.seed = 1, .step = 0});
  EXPECT_NEAR(t.value, test::trace_of(H), 4 * std::sqrt(2 * off / 12));
  EXPECT_NE(t.value, test::trace_of(H));
}

// A model without data, a coordinate at a time: sum_i a_i a_ij.
TEST_P(ObjectiveHessians, OfAQuadraticAreItsMeanCurvatures) {
  std::string curvature;
  for (int i = 0; i < 40; ++i) curvature += "[" + std::to_string(1 + i) + ", " + std::to_string(47.5 - i) + "], ";
  const Bench<double> b(GetParam(),
                        "[model]\nkind = \"quadratic\"\ncenter = 0\nnoise = 1\ncurvature = [" + curvature + "]\n");
  double first = 0, second = 0;
  for (int i = 0; i < 40; ++i) {
    const double a = b.lane().objective.worker_weights[static_cast<size_t>(i)];
    first += a * (1 + i), second += a * (47.5 - i);
  }
  const Vector got = b.times({1, 0, -2, 3});
  EXPECT_NEAR(got[0], first, 1e-12);
  EXPECT_EQ(got[1], 0);
  EXPECT_NEAR(got[2], -2 * first, 1e-12);
  EXPECT_NEAR(got[3], 3 * second, 1e-11);
}

TEST_P(ObjectiveHessians, BadInputIsRefused) {
  const Bench<double> b(GetParam());
  const ObjectiveHessian<double> hessian(b.context, b.cluster->population(), 15);
  const Buffer<double> x(b.context, 15), v(b.context, 30);
  EXPECT_THROW(hessian.times(b.cluster->model(), b.cluster->rows(), b.cluster->slot(), 0, x.view(1, 15), v.view(2, 15),
                             x.view(1, 15)),
               std::logic_error);
  EXPECT_THROW(hessian.times(b.cluster->model(), b.cluster->rows(), b.cluster->slot(), 0, x.view(1, 15), v.view(3, 10),
                             v.view(3, 10)),
               std::logic_error);
}

ORRERY_ON_EACH_BACKEND(ObjectiveHessians);

}  // namespace
}  // namespace orrery
