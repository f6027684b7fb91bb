#include "kernels/error_feedback.hpp"

#include "kernels/tensor_norms.hpp"
#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;
using test::VoteGroups;

class ErrorFeedback : public test::OnEachBackend {};

// tensors that end inside words, one of a single coordinate, one empty, one of many words; P = 2500
const std::vector<int64_t> kOffsets{0, 1, 33, 47, 47, 640, 2500};
const int64_t kTensors = static_cast<int64_t>(kOffsets.size()) - 1, kColumns = kOffsets.back();

int64_t tensor_at(int64_t j) {
  int64_t t = 0;
  while (kOffsets[static_cast<size_t>(t) + 1] <= j) ++t;
  return t;
}
int64_t length_of(int64_t t) { return kOffsets[static_cast<size_t>(t) + 1] - kOffsets[static_cast<size_t>(t)]; }
std::vector<uint8_t> every_third_absent(int64_t n) {
  std::vector<uint8_t> present;
  for (int64_t r = 0; r < n; ++r) present.push_back(r % 3 != 1);
  return present;
}
Trits blank(int64_t rows, int64_t P) { return {rows, P, std::vector<int>(static_cast<size_t>(rows * P), -1)}; }

// A message by definition: scale and sign from e, both planes' worth of bits, the rest left in e.
TEST_P(ErrorFeedback, ScaledSignsMatchTheFormula) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    for (int64_t n : {1, 5})
      for (bool all : {true, false}) {
        Matrix<T> values(b, n, kColumns, 1);
        std::vector<T> dense = values.dense();
        for (size_t i = 0; i < dense.size(); i += 7) dense[i] = i % 2 == 0 ? T{0} : -T{0};
        const Matrix<T> e(b, n, kColumns, dense, kColumns + 3);
        const Matrix<double> norms(b, n, kTensors, 4, kTensors + 2), scales(b, n, kTensors, 5, kTensors + 1);
        const Matrix<uint8_t> present(b, 1, n, every_third_absent(n));
        const Signs signs(b, blank(n, kColumns), false);
        scaled_signs<T>(ctx(), offset.vector(), norms.cview(), e.view(), signs.view(), scales.view(),
                        all ? VectorView<const uint8_t>{} : present.vector());
        const auto rest = e.host();
        const auto scale = scales.host();
        const Trits y = signs.host();
        for (int64_t r = 0; r < n; ++r) {
          const bool in = all || r % 3 != 1;
          for (int64_t t = 0; t < kTensors; ++t) {
            const double sent = length_of(t) > 0 ? norms.initial(r, t) / static_cast<double>(length_of(t)) : 0;
            ASSERT_EQ(scale[static_cast<size_t>(r * kTensors + t)],
                      in ? static_cast<double>(static_cast<T>(sent)) : scales.initial(r, t));
          }
          for (int64_t j = 0; j < kColumns; ++j) {
            const T v = dense[static_cast<size_t>(r * kColumns + j)];
            const T s = static_cast<T>(scale[static_cast<size_t>(r * kTensors + tensor_at(j))]);
            ASSERT_EQ(y(r, j), in && v >= 0 ? 1 : -1) << "row " << r << " coordinate " << j;
            ASSERT_EQ(rest[static_cast<size_t>(r * kColumns + j)], !in      ? v
                                                                   : v >= 0 ? v - s
                                                                            : v + s)
                << "row " << r << " coordinate " << j;
          }
        }
      }
  });
}

// |C(v) - v|^2 = (1 - phi) |v|^2 in every tensor. A scale off by a relative u changes the left side by d (s u)^2 <= u^2 |v|^2 only (it is the
// least there); the rest e is rounded once (2 u |e|^2 in its square); float64 sums of d terms on the right.
TEST_P(ErrorFeedback, TheCompressorKeepsTheShareOfTheFormula) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 4;
    const Matrix<T> e(b, n, kColumns, 1);
    const Matrix<double> l1(b, n, kTensors, 4), scales(b, n, kTensors, 5);
    const Signs signs(b, blank(n, kColumns), false);
    tensor_norms<T>(ctx(), offset.vector(), e.cview(), Norm::l1, l1.view());
    scaled_signs<T>(ctx(), offset.vector(), l1.cview(), e.view(), signs.view(), scales.view());
    const auto rest = e.host();
    test::Near near("|C(v) - v|^2");
    for (int64_t r = 0; r < n; ++r)
      for (int64_t t = 0; t < kTensors; ++t) {
        if (length_of(t) == 0) continue;
        double norm1 = 0, norm2 = 0, left = 0;
        for (int64_t j = kOffsets[static_cast<size_t>(t)]; j < kOffsets[static_cast<size_t>(t) + 1]; ++j) {
          const double v = e.initial(r, j), kept = static_cast<double>(rest[static_cast<size_t>(r * kColumns + j)]);
          norm1 += std::abs(v), norm2 += v * v, left += kept * kept;
        }
        const double d = static_cast<double>(length_of(t)), phi = norm1 * norm1 / (d * norm2);
        near(left, (1 - phi) * norm2, norm2 * (3 * test::unit<T> + 4 * d * test::unit<double>), r, t);
        EXPECT_GT(phi, d == 1 ? 0.999 : 0.3);
      }
  });
}

// The mean of what the members sent. The order of its blocks of 32, in float64 and rounded once, leaves no freedom: every bit must agree.
TEST_P(ErrorFeedback, ScaledMeanMatchesTheOrderedSum) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    for (auto [groups, M] : {std::pair<int64_t, int64_t>{1, 1}, {3, 5}, {2, 33}, {1, 300}})
      for (bool zeros : {false, true})
        for (bool all : {true, false}) {
          const VoteGroups table(b, groups, M);
          const int64_t n = table.rows();
          const Trits y = test::trits(n, kColumns, 1, zeros);
          const Signs signs(b, y, zeros);
          const Matrix<double> scales(b, n, kTensors, 5, kTensors + 1);
          const Matrix<uint8_t> present(b, 1, n, every_third_absent(n));
          const auto run = [&] {
            const Matrix<T> out(b, groups, kColumns, 6, kColumns + 1);
            scaled_mean<T>(ctx(), table.table(), {offset.vector(), signs.cview(), scales.cview()}, out.view(),
                           all ? VectorView<const uint8_t>{} : present.vector());
            return out.host();
          };
          const auto got = run();
          test::expect_same_bits_for_any_threads(run);
          for (int64_t k = 0; k < groups; ++k)
            for (int64_t j = 0; j < kColumns; ++j) {
              double total = 0, part = 0;
              int64_t members = 0, place = 0;
              for (int64_t r : table.members(k)) {
                if (all || r % 3 != 1) part += scales.initial(r, tensor_at(j)) * y(r, j), ++members;
                if (++place % 32 == 0 || place == M) total += std::exchange(part, 0);
              }
              ASSERT_EQ(got[static_cast<size_t>(k * kColumns + j)],
                        static_cast<T>(members > 0 ? total / static_cast<double>(members) : 0))
                  << "group " << k << " of " << M << ", coordinate " << j;
            }
        }
  });
}

// Nobody there: no step. One member: the message itself, and what was sent and what was kept add up to e within one rounding.
TEST_P(ErrorFeedback, SentAndKeptAddUp) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 3;
    const VoteGroups alone(b, n, 1);
    const Matrix<T> e(b, n + 1, kColumns, 1), out(b, n, kColumns, 2);
    const Matrix<double> l1(b, n + 1, kTensors, 4), scales(b, n + 1, kTensors, 5);
    const Matrix<uint8_t> nobody(b, 1, n + 1, std::vector<uint8_t>(static_cast<size_t>(n + 1)));
    const Signs signs(b, blank(n + 1, kColumns), false);
    tensor_norms<T>(ctx(), offset.vector(), e.cview(), Norm::l1, l1.view());
    scaled_signs<T>(ctx(), offset.vector(), l1.cview(), e.view(), signs.view(), scales.view());
    const ScaledSigns sent{offset.vector(), signs.cview(), scales.cview()};
    scaled_mean<T>(ctx(), alone.table(), sent, out.view());
    const auto rest = e.host(), message = out.host();
    test::Near near("sent + kept");
    for (int64_t k = 0; k < n; ++k) {
      const int64_t r = alone.members(k)[0];
      for (int64_t j = 0; j < kColumns; ++j) {
        const double kept = static_cast<double>(rest[static_cast<size_t>(r * kColumns + j)]);
        near(static_cast<double>(message[static_cast<size_t>(k * kColumns + j)]) + kept, e.initial(r, j),
             1.01 * test::unit<T> * std::abs(kept) + test::unit<double> * std::abs(e.initial(r, j)), k, j);
      }
    }
    scaled_mean<T>(ctx(), alone.table(), sent, out.view(), nobody.vector());
    for (T v : out.host()) ASSERT_EQ(v, 0);
  });
}

TEST_P(ErrorFeedback, SameBitsForAnyThreadsAndNeighbours) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, kTensors + 1, kOffsets);
  test::for_float_and_double([&]<class T>() {
    const int64_t n = 5;
    const Matrix<double> norms(b, n, kTensors, 4);
    const auto run = [&](int64_t first, int64_t count) {
      const Matrix<T> e(b, n, kColumns, 1);
      const Matrix<double> scales(b, count, kTensors, 5);
      const Signs signs(b, blank(count, kColumns), false);
      const auto part = e.view().rows(first, count);
      scaled_signs<T>(ctx(), offset.vector(), norms.cview().rows(first, count), part, signs.view(), scales.view());
      const auto rest = e.host();
      return std::vector<T>(rest.begin() + first * kColumns, rest.begin() + (first + count) * kColumns);
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, n); });
    const auto all = run(0, n);
    for (int64_t r = 0; r < n; ++r)
      test::expect_same_bits(run(r, 1), {all.begin() + r * kColumns, all.begin() + (r + 1) * kColumns}, "alone");
  });
}

TEST_P(ErrorFeedback, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Matrix<int64_t> offset(b, 1, 3, std::vector<int64_t>{0, 7, 40});
  const Matrix<double> norms(b, 2, 2, 1), scales(b, 2, 2, 1), wide(b, 2, 3, 1);
  const Matrix<float> e(b, 2, 40, 1);
  const Matrix<uint8_t> present(b, 1, 3, 1);
  const Signs one(b, blank(2, 40), false), two(b, blank(2, 40), true);
  const VoteGroups groups(b, 1, 1);
  const auto send = [&](const Matrix<double>& from, const Signs& signs, const Matrix<double>& to) {
    scaled_signs<float>(ctx(), offset.vector(), from.cview(), e.view(), signs.view(), to.view());
  };
  EXPECT_NO_THROW(send(norms, one, scales));
  EXPECT_THROW(send(norms, two, scales), std::logic_error);
  EXPECT_THROW(send(wide, one, scales), std::logic_error);
  EXPECT_THROW(send(norms, one, wide), std::logic_error);
  EXPECT_THROW(send(norms, one, norms), std::logic_error);
  const ScaledSigns sent{offset.vector(), one.cview(), scales.cview()},
      wrong{offset.vector(), one.cview(), wide.cview()};
  EXPECT_THROW(scaled_mean<float>(ctx(), groups.table(), sent, e.view()), std::logic_error);
  EXPECT_THROW(scaled_mean<float>(ctx(), groups.table(), wrong, e.view().rows(0, 1)), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(ErrorFeedback);

}  // namespace
}  // namespace orrery
