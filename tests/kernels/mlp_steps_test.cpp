#include "kernels/mlp_steps.hpp"

#include "kernels/mlp_scores.hpp"
#include "tests/kernels/mlp_oracle.hpp"

namespace orrery {
namespace {

using test::Bounded;
using test::Matrix;
using test::Storage;

class MlpSteps : public test::OnEachBackend {};

constexpr int64_t kSlot = 21, kRoomy = int64_t{1} << 24;

struct Case {
  std::vector<int64_t> width;
  Activation activation;
  int32_t all;  // samples of the worker that takes its whole data: beyond the CPU's pieces of 64 in two cases
  Storage storage;
  double l2;
};
const Case kCases[] = {{{1, 1, 2}, Activation::relu, 3, Storage::floats, 0},
                       {{7, 5, 3}, Activation::tanh, 64, Storage::bytes, 0.1},
                       {{20, 17, 9, 10}, Activation::relu, 70, Storage::floats, 0.03},
                       {{9, 20, 3, 6, 4}, Activation::tanh, 130, Storage::bytes, 0}};

test::Rows ragged(Backend b, int32_t all) {
  std::vector<test::RowSpec> rows;
  for (uint64_t seed : {17ull, 5ull << 40})
    for (int32_t w = 0; w < 5; ++w)
      rows.push_back({.seed = seed,
                      .worker = w,
                      .learning_rate = 0.05 + 0.02 * w,
                      .rate = w == 3   ? 0.0
                              : w == 4 ? 0.6
                                       : 1.0,
                      .batch = std::vector<int32_t>{1, 15, 0, 4, 3}[static_cast<size_t>(w)],
                      .samples = test::range_of(2 * w, w == 2 ? all : 9)});
  return test::Rows(b, rows, kSlot);
}

struct Problem {
  test::Samples samples;
  MlpView view;
  int64_t P;
  int32_t all;
  Problem(Backend b, const Case& c)
      : samples(b, 140, c.width.front(), static_cast<int>(c.width.back()), c.storage, 3,
                c.storage == Storage::bytes ? 1 / 127.5 : 0.8, -0.4),
        all(b == Backend::cpu ? c.all : std::min(c.all, 20)) {
    view = {samples.view(), c.width, c.activation, c.l2};
    P = view.parameters();
  }
};

template <class T>
std::vector<double> row_of(const std::vector<T>& all, int64_t r, int64_t P) {
  return {all.begin() + r * P, all.begin() + (r + 1) * P};
}

// Workspaces for everything, for a few rows, for one row's batch.
std::vector<int64_t> rooms(const Problem& q, int64_t element) {
  const int64_t row = std::max<int64_t>(q.all, 15) * q.view.units() * element * 3;
  return {kRoomy, 3 * row, 1};
}

TEST_P(MlpSteps, GradientsMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& c : kCases) {
      const Problem q(b, c);
      const test::Rows rows = ragged(b, q.all);
      for (bool shared : {false, true})
        for (int64_t room : rooms(q, sizeof(T)))
          for (int64_t places : {rows.view().max_batch, int64_t{6}}) {  // all at once, and in pieces
            if (on_cpu() && (room != kRoomy || places == 6)) continue;  // the CPU has no workspace
            MlpWorkspace<T> space(ctx(), q.view, rows.count(), places, room);
            Matrix<T> w(b, shared ? 1 : rows.count(), q.P, 1, q.P + 3), g(b, rows.count(), q.P, 2);
            mlp_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), shared ? w.shared(rows.count()) : w.cview(),
                             g.view(), space);
            const auto got = g.host();
            test::Near near(shared ? "g, shared point" : "g, own points");
            for (int64_t r = 0; r < rows.count(); ++r) {
              Bounded want(static_cast<size_t>(q.P));
              if (rows.active(r))
                want = test::mlp_gradient<T>(q.view, q.samples, rows, r, 0, row_of(w.initial(), shared ? 0 : r, q.P));
              for (int64_t i = 0; i < q.P; ++i)
                near(static_cast<double>(got[static_cast<size_t>(r * q.P + i)]), want.value[static_cast<size_t>(i)],
                     want.error[static_cast<size_t>(i)], r, i);
            }
            EXPECT_EQ(w.host(), w.dense());
          }
    }
  });
}

// One step against the formula from where the row stood before it, four times; then the same four in one call: equal bits.
// A step adds eta g with g's error, B + 6 roundings on w (the folded update scales the deltas before they are summed onto w) and 6 on eta g.
TEST_P(MlpSteps, StepsMatchTheFormula) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const double u = test::unit<T>;
    for (const Case& c : kCases)
      for (double mu : {0.0, 0.8}) {
        const Problem q(b, c);
        const test::Rows rows = ragged(b, q.all);
        for (int64_t room : rooms(q, sizeof(T))) {
          if (on_cpu() && room != kRoomy) continue;
          MlpWorkspace<T> space(ctx(), q.view, rows.count(), rows.view().max_batch, room);
          Matrix<T> w(b, rows.count(), q.P, 1), v(b, rows.count(), q.P, 7), w4(b, rows.count(), q.P, 1),
              v4(b, rows.count(), q.P, 7);
          const auto momentum = [&](const Matrix<T>& velocity) {
            return mu > 0 ? Momentum<T>{mu, velocity.view()} : Momentum<T>{};
          };
          auto before = w.host(), velocity = v.host();
          for (int64_t s = 0; s < 4; ++s) {
            mlp_steps<T>(ctx(), q.view, rows.view(), rows.slot().plus(s), 1, w.view(), space, momentum(v));
            const auto after = w.host(), pushed = v.host();
            test::Near near_w("w"), near_v("v");
            for (int64_t r = 0; r < rows.count(); ++r) {
              const auto at = row_of(before, r, q.P), old = row_of(velocity, r, q.P);
              const bool active = rows.active(r, s);
              Bounded g(static_cast<size_t>(q.P));
              if (active) g = test::mlp_gradient<T>(q.view, q.samples, rows, r, s, at);
              const double eta = rows.spec(r).learning_rate, B = static_cast<double>(rows.batch_size(r));
              for (int64_t i = 0; i < q.P; ++i) {
                const auto k = static_cast<size_t>(i), here = static_cast<size_t>(r * q.P + i);
                const double new_v = active ? mu * old[k] + g.value[k] : old[k];
                const double off_v =
                    active ? g.error[k] + (B + 6) * u * (std::abs(mu * old[k]) + std::abs(g.value[k])) : 0;
                const double step = !active ? 0 : mu > 0 ? eta * new_v : eta * g.value[k];
                const double off_w =
                    active ? eta * (mu > 0 ? off_v : g.error[k]) + u * ((B + 6) * std::abs(at[k]) + 6 * std::abs(step))
                           : 0;
                near_w(static_cast<double>(after[here]), at[k] - step, off_w, r, i);
                if (mu > 0) near_v(static_cast<double>(pushed[here]), new_v, off_v, r, i);
              }
            }
            if (mu == 0) near_v(0, 0, 0);
            before = after, velocity = pushed;
          }
          mlp_steps<T>(ctx(), q.view, rows.view(), rows.slot(), 4, w4.view(), space, momentum(v4));
          test::expect_same_bits(w.host(), w4.host(), "four steps one by one, and in one call");
        }
      }
  });
}

TEST_P(MlpSteps, SeveralBatchesInASlot) {
  const Backend b = GetParam();
  const Problem q(b, kCases[2]);
  // whole batches: three gradient steps in one slot are three slots
  std::vector<test::RowSpec> specs;
  for (int32_t w = 0; w < 3; ++w) specs.push_back({.worker = w, .batch = 0, .samples = test::range_of(5 * w, 9)});
  const test::Rows rows(b, specs, 4);
  orrery::Rows repeated = rows.view();
  const Buffer<int32_t> repeats(ctx(), std::vector<int32_t>{3, 1, 2});
  repeated.repeats = repeats.view();
  repeated.max_repeats = 3;
  MlpWorkspace<double> space(ctx(), q.view, 3, 9, kRoomy);
  Matrix<double> once(b, 3, q.P, 1), thrice(b, 3, q.P, 1);
  mlp_steps<double>(ctx(), q.view, repeated, rows.slot(), 1, once.view(), space);
  const int64_t taken[] = {3, 1, 2};
  for (int64_t r = 0; r < 3; ++r)
    mlp_steps<double>(ctx(), q.view, rows.view().part(r, 1), rows.slot(), taken[r], thrice.view().rows(r, 1), space);
  test::expect_same_bits(once.host(), thrice.host(), "repeats and slots of whole batches");
}

TEST_P(MlpSteps, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const Problem q(b, kCases[2]);
  const test::Rows rows = ragged(b, q.all);
  MlpWorkspace<float> space(ctx(), q.view, rows.count(), rows.view().max_batch, kRoomy);
  const auto all = [&] {
    Matrix<float> w(b, rows.count(), q.P, 1);
    mlp_steps<float>(ctx(), q.view, rows.view(), rows.slot(), 3, w.view(), space);
    return w.host();
  };
  test::expect_same_bits_for_any_threads(all);
  if (!on_cpu()) return;  // cuBLAS may choose by the number of rows
  Matrix<float> w(b, rows.count(), q.P, 1);
  for (int64_t r = 0; r < rows.count(); ++r)
    mlp_steps<float>(ctx(), q.view, rows.view().part(r, 1), rows.slot(), 3, w.view().rows(r, 1), space);
  test::expect_same_bits(all(), w.host(), "rows alone and together");
}

// loss: the error of a log-sum-exp is at most twice the largest error of a logit and (C + 12) u of its terms' sizes; it is computed in
// float64 from the logits in T. A hit may differ only where two logits are nearer than their errors.
TEST_P(MlpSteps, ScoresMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& c : kCases) {
      const Problem q(b, c);
      const int64_t n = q.samples.count(), models = 3;
      Matrix<T> w(b, models, q.P, 1, q.P + 2);
      Matrix<double> u(b, 2, n, 9);
      const std::vector<int64_t> row{1, 0, 1};
      for (bool even : {true, false}) {
        const Scores got = mlp_scores<T>(ctx(), q.view, w.cview(), even ? MatrixView<const double>() : u.cview(), row);
        test::Near near("loss");
        for (int64_t m = 0; m < models; ++m) {
          const auto at = row_of(w.initial(), m, q.P);
          double loss = 0, error = 0, hits = 0, doubtful = 0;
          for (int64_t s = 0; s < n; ++s) {
            const auto z = test::mlp_forward<T>(q.view, q.samples, s, at).h.back();
            const double largest = *std::max_element(z.value.begin(), z.value.end());
            double sum = 0, off = 0, size = 0;
            for (size_t k = 0; k < z.value.size(); ++k) {
              sum += std::exp(z.value[k] - largest);
              off = std::max(off, z.error[k]);
              size = std::max(size, std::abs(z.value[k]));
            }
            const auto label = static_cast<size_t>(q.samples.label(s));
            const double weight = even ? 1.0 / static_cast<double>(n) : u.initial(row[static_cast<size_t>(m)], s);
            loss += weight * (largest + std::log(sum) - z.value[label]);
            error += std::abs(weight) * (2 * off + 20 * test::unit<double> * (size + 1) + 2 * test::unit<T> * size);
            const bool hit = z.value[label] == largest;
            double second = -1e300;
            for (size_t k = 0; k < z.value.size(); ++k)
              if (k != label) second = std::max(second, z.value[k]);
            if (std::abs(z.value[label] - second) <= 4 * off) doubtful += std::abs(weight);
            hits += hit ? weight : 0;
          }
          for (int l = 0; l < q.view.layers(); ++l)
            for (int64_t i = q.view.weights(l); i < q.view.bias(l); ++i) {
              const double square = 0.5 * q.view.l2 * at[static_cast<size_t>(i)] * at[static_cast<size_t>(i)];
              loss += square;
              error += static_cast<double>(q.P) * test::unit<double> * square + 4 * test::unit<T> * square;
            }
          near(got.loss[static_cast<size_t>(m)], loss,
               error + static_cast<double>(n) * test::unit<double> * std::abs(loss), m);
          EXPECT_NEAR(got.hits[static_cast<size_t>(m)], hits, doubtful + 1e-12);
        }
      }
    }
  });
}

// A call takes what mlp_scores_bytes says (CUDA: and what the library's sums need) and gives it back.
TEST_P(MlpSteps, ScoresTakeTheBytesThatTheySay) {
  const Backend b = GetParam();
  for (size_t c : {0u, 2u}) {
    const Problem q(b, kCases[c]);
    const Matrix<float> w(b, 3, q.P, 1);
    reset_memory_peak(b);
    const int64_t before = memory_use(b).now;
    mlp_scores<float>(ctx(), q.view, w.cview(), {}, {});
    const int64_t took = memory_use(b).peak - before;
    const int64_t said = mlp_scores_bytes(b, q.view, sizeof(float), 3, q.samples.count());
    EXPECT_EQ(memory_use(b).now, before);
    EXPECT_GT(said, 0);
    EXPECT_GE(took, said);
    EXPECT_LE(took, on_cpu() ? said : said + (1 << 16));
  }
}

ORRERY_ON_EACH_BACKEND(MlpSteps);

}  // namespace
}  // namespace orrery
