#include "kernels/minibatch.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Storage;

class Minibatch : public test::OnEachBackend {};

// Two replicas; batches of one, several and all samples; workers that hold one sample, that skip slots, that never
// step.
std::vector<test::RowSpec> mixed_rows() {
  std::vector<test::RowSpec> rows;
  for (uint64_t seed : {7ull, 0x123456789abcdefull})
    for (int32_t worker = 0; worker < 6; ++worker)
      rows.push_back({.seed = seed,
                      .worker = worker,
                      .rate = worker == 4   ? 0.0
                              : worker == 5 ? 0.5
                                            : 1.0,
                      .batch = std::vector<int32_t>{1, 5, 0, 9, 4, 3}[static_cast<size_t>(worker)],
                      .samples = test::range_of(3 * worker, worker == 1 ? 1 : 7)});
  return rows;
}

constexpr int64_t kSlot = (int64_t{1} << 33) + 5;  // both halves of the step count

// Tolerance: scale 1 rounding, the product 1, shift 1, the sum 1: 3 on scale * stored, 2 on shift. Labels are exact.
TEST_P(Minibatch, MatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const test::Rows rows(b, mixed_rows(), kSlot);
    for (Storage storage : {Storage::bytes, Storage::floats, Storage::sparse})
      for (int64_t d : {1, 31, 130})  // below and past a block's threads
        for (auto [first, count] : {std::pair<int64_t, int64_t>{0, 9}, {3, 4}, {8, 1}}) {
          const test::Samples samples(b, 25, d, 10, storage, 1, 1 / 127.5, storage == Storage::sparse ? 0 : -1.1);
          Matrix<T> x(b, rows.count(), count * d, 2);
          Matrix<int32_t> y(b, rows.count(), count, 3, count + 2);  // a piece of a wider table of labels
          minibatch<T>(ctx(), rows.view(), samples.view(), rows.slot(), first, count, x.view(), y.view());
          const auto got = x.host();
          const auto labels = y.host();
          int64_t used = 0, skipped = 0, past = 0;
          test::Near near("x");
          for (int64_t r = 0; r < rows.count(); ++r)
            for (int64_t k = 0; k < count; ++k) {
              const int64_t at = r * count + k;
              const bool in_batch = first + k < rows.batch_size(r), taken = in_batch && rows.active(r);
              (!in_batch ? past : taken ? used : skipped)++;
              const int64_t s = taken ? rows.sample(r, first + k) : 0;
              ASSERT_EQ(labels[static_cast<size_t>(at)], taken ? samples.label(s) : -1)
                  << "row " << r << " place " << k;
              for (int64_t j = 0; j < d; ++j)
                near(got[static_cast<size_t>(at * d + j)], taken ? samples.x(s, j) : 0.0,
                     taken ? 3 * test::unit<T> * samples.x_size(s, j) : 0.0, at, j);
            }
          EXPECT_TRUE(used > 0 && past > 0 && (skipped > 0 || first > 4));  // the case holds what it is about
        }
  });
}

// Same bits for any number of threads, for pieces of a batch, and for a row alone.
TEST_P(Minibatch, DependsOnItsOwnKeysOnly) {
  const Backend b = GetParam();
  const test::Rows rows(b, mixed_rows(), kSlot);
  const int64_t d = 33, count = 9;
  for (Storage storage : {Storage::floats, Storage::sparse}) {
    const test::Samples samples(b, 25, d, 10, storage, 1, 0.3, storage == Storage::sparse ? 0 : 0.1);
    const auto draw = [&](const Rows& some, Slot slot, int64_t first, int64_t n) {
      Matrix<float> x(b, some.count, n * d, 2);
      Matrix<int32_t> y(b, some.count, n, 3);
      minibatch<float>(ctx(), some, samples.view(), slot, first, n, x.view(), y.view());
      auto out = x.host();
      for (int32_t label : y.host()) out.push_back(static_cast<float>(label));
      return out;
    };
    test::expect_same_bits_for_any_threads([&] { return draw(rows.view(), rows.slot(), 0, count); });
    const auto all = draw(rows.view(), rows.slot(), 0, count);
    for (int64_t r = 0; r < rows.count(); ++r)
      for (int64_t k = 0; k < count; ++k) {
        const auto one = draw(rows.view().part(r, 1), rows.slot(), k, 1);
        const auto begin = all.begin() + (r * count + k) * d;
        test::expect_same_bits(std::vector<float>(begin, begin + d), std::vector<float>(one.begin(), one.begin() + d),
                               "x");
        ASSERT_EQ(one.back(), all[static_cast<size_t>(rows.count() * count * d + r * count + k)]);
      }
    EXPECT_NE(all, draw(rows.view(), rows.slot().plus(1), 0, count));  // another slot, another batch
  }
}

TEST_P(Minibatch, GatherTakesSamplesInOrder) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (Storage storage : {Storage::bytes, Storage::floats, Storage::sparse})
      for (auto [n, first, count, d] :
           {std::tuple<int64_t, int64_t, int64_t, int64_t>{1, 0, 1, 1}, {20, 3, 17, 129}, {300, 0, 300, 5}}) {
        const test::Samples samples(b, n, d, 3, storage, 5, 0.02, storage == Storage::sparse ? 0 : 0.7);
        Matrix<T> x(b, count, d, 2);
        gather<T>(ctx(), samples.view(), first, count, x.view());
        const auto got = x.host();
        test::Near near("x");
        for (int64_t k = 0; k < count; ++k)
          for (int64_t j = 0; j < d; ++j)
            near(got[static_cast<size_t>(k * d + j)], samples.x(first + k, j),
                 3 * test::unit<T> * samples.x_size(first + k, j), k, j);
      }
  });
}

// Sparse rows are spread over zeros: what was there before goes, in rows with no element at all and in those with one, and what is stored
// lands in its column.
TEST_P(Minibatch, SparseRowsAreSpreadOverZeros) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int64_t d : {1, 5, 260}) {
      const test::Samples samples(b, 21, d, 3, Storage::sparse, 5, 2.0);
      Matrix<T> x(b, samples.count(), d, std::vector<T>(static_cast<size_t>(samples.count() * d), T{7}));
      gather<T>(ctx(), samples.view(), 0, samples.count(), x.view());
      const auto got = x.host();
      int64_t empty = 0, single = 0, more = 0;
      for (int64_t s = 0; s < samples.count(); ++s) {
        int64_t elements = 0;
        for (int64_t j = 0; j < d; ++j) {
          const double want = 2 * samples.stored(s, j);  // exact
          ASSERT_EQ(got[static_cast<size_t>(s * d + j)], static_cast<T>(want)) << s << "," << j;
          elements += want != 0;
        }
        (elements == 0 ? empty : elements == 1 ? single : more)++;
      }
      EXPECT_TRUE(empty >= 5 && single >= 1 && (more >= 5 || d == 1)) << empty << " " << single << " " << more;
      EXPECT_EQ(samples.view().rows.begin.size(), samples.count() + 1);
    }
  });
}

TEST_P(Minibatch, RefusesWrongShapes) {
  const Backend b = GetParam();
  const test::Rows rows(b, mixed_rows());
  const test::Samples samples(b, 25, 4, 3, Storage::bytes, 1);
  Matrix<float> x(b, 12, 9 * 4, 2);
  Matrix<int32_t> y(b, 12, 9, 3);
  EXPECT_THROW(minibatch<float>(ctx(), rows.view(), samples.view(), rows.slot(), 0, 8, x.view(), y.view()),
               std::logic_error);
  EXPECT_THROW(gather<float>(ctx(), samples.view(), 20, 6, Matrix<float>(b, 6, 4, 2).view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(Minibatch);

}  // namespace
}  // namespace orrery
