#include "kernels/mlp_signs.hpp"

#include "kernels/row_segments.hpp"
#include "tests/kernels/mlp_oracle.hpp"
#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Bounded;
using test::Matrix;
using test::Signs;
using test::Storage;

class MlpSigns : public test::OnEachBackend {};

constexpr int64_t kSlot = 21, kRoomy = int64_t{1} << 26;

struct Case {
  std::vector<int64_t> width;
  Activation activation;
  Storage storage;
  double l2;
};
// Words that lie across rows of W and across tensors; layers of one unit; widths of 32 and 64; more outputs than a block of the CUDA kernel
// holds, and more inputs than it takes; more than two hidden layers.
const Case kCases[] = {{{1, 1, 2}, Activation::relu, Storage::floats, 0},
                       {{7, 5, 3}, Activation::tanh, Storage::bytes, 0.1},
                       {{20, 64, 9, 10}, Activation::relu, Storage::sparse, 0.03},
                       {{70, 33, 32}, Activation::relu, Storage::floats, 0},
                       {{40, 544, 2}, Activation::tanh, Storage::floats, 0},
                       {{9, 20, 3, 6, 4, 2}, Activation::tanh, Storage::bytes, 0}};

struct Problem {
  test::Samples samples;
  MlpView view;
  int64_t P;
  Problem(Backend b, const Case& c)
      : samples(b, 1000, c.width.front(), static_cast<int>(c.width.back()), c.storage, 3,
                c.storage == Storage::bytes ? 1 / 127.5 : 0.8, c.storage == Storage::sparse ? 0 : -0.4) {
    view = {samples.view(), c.width, c.activation, c.l2};
    P = view.parameters();
  }
};

// Batches one beside the other; 0: whole data of 37. Row 3 never steps, row 5 may.
test::Rows ragged(Backend b, const std::vector<int32_t>& batches) {
  std::vector<test::RowSpec> rows;
  for (size_t r = 0; r < batches.size(); ++r)
    rows.push_back({.seed = r < 3 ? 17ull : 5ull << 40,
                    .worker = static_cast<int32_t>(r),
                    .rate = r == 3   ? 0.0
                            : r == 5 ? 0.6
                                     : 1.0,
                    .batch = batches[r],
                    .samples = test::range_of(static_cast<int32_t>(20 * r), batches[r] == 0 ? 37 : 11)});
  return {b, rows, kSlot};
}
const std::vector<int32_t> kBatches = {4, 4, 60, 7, 1, 3, 0, 12};

template <class T>
std::vector<uint32_t> signs_of(const Problem& q, const test::Rows& rows, const Matrix<T>& w, SignZero rule, bool second,
                               int64_t room) {
  const Backend b = rows.view().batch.where();
  const Signs out(b, test::trits(rows.count(), q.P, 1, true), second);
  MlpSignsWorkspace<T> space(room);
  mlp_signs<T>(test::context(b), q.view, rows.view(), rows.slot(), rule, w.shared(rows.count()), out.view(), space);
  return out.bits();
}
template <class T>
std::vector<uint32_t> packed_gradients(const Problem& q, const test::Rows& rows, const Matrix<T>& w, SignZero rule,
                                       bool second) {
  const Backend b = rows.view().batch.where();
  const Signs out(b, test::trits(rows.count(), q.P, 1, true), second);
  Matrix<T> g(b, rows.count(), q.P, 2);
  MlpWorkspace<T> space(test::context(b), q.view, rows.count(), rows.view().max_batch, kRoomy);
  mlp_gradients<T>(test::context(b), q.view, rows.view(), rows.slot(), w.shared(rows.count()), g.view(), space);
  sign_pack<T>(test::context(b), rows.view(), rows.slot(), rule, g.cview(), out.view());
  return out.bits();
}

// Small rows beside each other and rows of many samples, with room for all and for 64 samples at a time.
TEST_P(MlpSigns, SignsOfTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& c : kCases)
      for (const auto& batches : {kBatches, std::vector<int32_t>{4, 300, 5}}) {
        const Problem q(b, c);
        const test::Rows rows = ragged(b, batches);
        const Matrix<T> w(b, 1, q.P, 1);
        std::vector<test::Trits> got;
        for (int64_t room : {kRoomy, int64_t{1}}) {
          const Signs out(b, test::trits(rows.count(), q.P, 1, true), true);
          MlpSignsWorkspace<T> space(room);
          mlp_signs<T>(ctx(), q.view, rows.view(), rows.slot(), SignZero::zero, w.shared(rows.count()), out.view(),
                       space);
          got.push_back(out.host());
        }
        int64_t sure = 0;
        for (int64_t r = 0; r < rows.count(); ++r) {
          Bounded want(static_cast<size_t>(q.P));
          if (rows.active(r)) want = test::mlp_gradient<T>(q.view, q.samples, rows, r, 0, w.initial());
          for (int64_t j = 0; j < q.P; ++j) {
            const double g = want.value[static_cast<size_t>(j)], off = want.error[static_cast<size_t>(j)];
            // certain beyond the rounding, and above what T can hold; where nothing is added up, 0 is certain too
            if (off > 0 && std::abs(g) <= off + 1e4 * static_cast<double>(std::numeric_limits<T>::min())) continue;
            ++sure;
            for (const auto& signs : got)
              ASSERT_EQ(signs(r, j), g > 0 ? 1 : g < 0 ? -1 : 0) << "row " << r << " parameter " << j << ", g " << g;
          }
        }
        EXPECT_GT(sure, rows.count() * q.P / 2);
      }
  });
}

// The sums themselves: within their rounding errors, on the CPU the bits of mlp_gradients.
TEST_P(MlpSigns, SharedGradientsMatchTheFormula) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& c : kCases)
      for (const auto& batches : {kBatches, std::vector<int32_t>{4, 300, 5}}) {
        const Problem q(b, c);
        const test::Rows rows = ragged(b, batches);
        const Matrix<T> w(b, 1, q.P, 1);
        std::vector<Bounded> want;
        for (int64_t r = 0; r < rows.count(); ++r) {
          want.emplace_back(static_cast<size_t>(q.P));
          if (rows.active(r)) want.back() = test::mlp_gradient<T>(q.view, q.samples, rows, r, 0, w.initial());
        }
        for (int64_t room : {kRoomy, int64_t{1}}) {
          const Matrix<T> g(b, rows.count(), q.P, 2);
          MlpSignsWorkspace<T> space(room);
          mlp_shared_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), w.shared(rows.count()), g.view(), space);
          const auto got = g.host();
          test::Near near("g");
          for (int64_t r = 0; r < rows.count(); ++r)
            for (int64_t j = 0; j < q.P; ++j)
              near(static_cast<double>(got[static_cast<size_t>(r * q.P + j)]),
                   want[static_cast<size_t>(r)].value[static_cast<size_t>(j)],
                   want[static_cast<size_t>(r)].error[static_cast<size_t>(j)] +
                       (rows.active(r) ? 1e4 * static_cast<double>(std::numeric_limits<T>::min()) : 0),
                   r, j);
          if (!on_cpu()) continue;
          const Matrix<T> padded(b, rows.count(), q.P, 3);
          MlpWorkspace<T> steps(ctx(), q.view, rows.count(), rows.view().max_batch, kRoomy);
          mlp_gradients<T>(ctx(), q.view, rows.view(), rows.slot(), w.shared(rows.count()), padded.view(), steps);
          const auto same = padded.host();
          for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], same[i]) << "element " << i;  // -0 equals 0
        }
      }
  });
}

// The CPU: for every rule, with room for all and for 64 samples at a time, so that chunks end between and inside of rows.
TEST_P(MlpSigns, BitsOfPackedGradients) {
  if (!on_cpu()) GTEST_SKIP() << "products on CUDA add in another order";
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& c : kCases) {
      const Problem q(b, c);
      for (const auto& batches : {kBatches, std::vector<int32_t>{4, 4, 60, 904, 1}, std::vector<int32_t>{300}}) {
        const test::Rows rows = ragged(b, batches);
        const Matrix<T> w(b, 1, q.P, 1);
        for (SignZero rule : test::kRules)
          for (int64_t room : {kRoomy, int64_t{1}}) {
            const bool second = rule == SignZero::zero;
            test::expect_same_bits(
                signs_of<T>(q, rows, w, rule, second, room), packed_gradients<T>(q, rows, w, rule, second),
                std::string("mlp_signs and sign_pack of mlp_gradients, zeros ") + test::name_of(rule));
          }
      }
    }
  });
}

// Where coins are thrown, both ways throw the same ones: rows that skip the slot, and parameters that no sample moves.
TEST_P(MlpSigns, ZerosFollowTheRule) {
  const Backend b = GetParam();
  const Problem q(b, kCases[2]);
  const test::Rows rows = ragged(b, kBatches);
  const Matrix<double> w(b, 1, q.P,
                         std::vector<double>(static_cast<size_t>(q.P)));  // only the last biases have a gradient
  for (SignZero rule : test::kRules)
    for (bool second : {false, true}) {
      if (rule == SignZero::zero && !second) continue;
      test::expect_same_bits(signs_of<double>(q, rows, w, rule, second, kRoomy),
                             packed_gradients<double>(q, rows, w, rule, second), test::name_of(rule));
    }
}

TEST_P(MlpSigns, SameBitsForAnyThreadsAndRowsBeside) {
  const Backend b = GetParam();
  const Problem q(b, kCases[2]);
  const test::Rows rows = ragged(b, {4, 300, 7, 1, 64, 0, 4});
  const Matrix<float> w(b, 1, q.P, 1);
  for (int64_t room : {kRoomy, int64_t{1}})
    test::expect_same_bits_for_any_threads([&] { return signs_of<float>(q, rows, w, SignZero::random, false, room); });
  if (!on_cpu()) return;  // cuBLAS may choose by the number of samples
  const Signs alone(b, test::trits(rows.count(), q.P, 1, true), false);
  MlpSignsWorkspace<float> space(kRoomy);
  for (int64_t r = 0; r < rows.count(); ++r) {
    SignsOut out = alone.view();
    out.positive = out.positive.rows(r, 1);
    mlp_signs<float>(ctx(), q.view, rows.view().part(r, 1), rows.slot(), SignZero::random, w.shared(1), out, space);
  }
  test::expect_same_bits(alone.bits(), signs_of<float>(q, rows, w, SignZero::random, false, kRoomy),
                         "rows alone and together");
}

TEST_P(MlpSigns, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Problem q(b, kCases[1]);
  const test::Rows rows = ragged(b, {4, 4});
  const Matrix<float> w(b, 2, q.P, 1);
  const Signs one(b, test::trits(2, q.P, 1, false), false), wide(b, test::trits(2, q.P + 1, 1, false), true);
  MlpSignsWorkspace<float> space(kRoomy);
  const auto call = [&](SignZero rule, MatrixView<const float> at, const Signs& out) {
    mlp_signs<float>(ctx(), q.view, rows.view(), rows.slot(), rule, at, out.view(), space);
  };
  EXPECT_THROW(call(SignZero::zero, w.shared(2), one), std::logic_error);
  EXPECT_THROW(call(SignZero::plus, w.cview(), one), std::logic_error);
  EXPECT_THROW(call(SignZero::plus, w.shared(2), wide), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(MlpSigns);

TEST(RowSegments, WholeRowsThenPieces) {
  const std::vector<int64_t> batches = {4, 4, 0, 60, 130, 1, 64};
  const auto c = cut_into_chunks(batches, 64);
  ASSERT_EQ(c.size(), 7u);
  // 4, 4 and nothing; 60; 130 in pieces of 64, 64 and 2; 1; 64
  EXPECT_EQ(c[0].begin, (std::vector<int64_t>{0, 4, 8, 8}));
  EXPECT_EQ(c[1].begin, (std::vector<int64_t>{0, 60}));
  EXPECT_EQ(c[1].first, 3);
  for (size_t k : {2u, 3u, 4u}) {
    EXPECT_EQ(c[k].first, 4);
    EXPECT_EQ(c[k].first_sample, static_cast<int64_t>(k - 2) * 64);
    EXPECT_EQ(c[k].last_piece, k == 4);
    EXPECT_FALSE(c[k].whole());
  }
  EXPECT_EQ(c[4].places(), 2);
  EXPECT_EQ(c[5].begin, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(c[6].first, 6);
  EXPECT_TRUE(c[6].whole());
  // 904 beside 499 rows of 4: one chunk without padding
  std::vector<int64_t> many(499, 4);
  many.push_back(904);
  ASSERT_EQ(cut_into_chunks(many, 2900).size(), 1u);
  EXPECT_EQ(cut_into_chunks(many, 2900)[0].places(), 904 + 4 * 499);
}

}  // namespace
}  // namespace orrery
