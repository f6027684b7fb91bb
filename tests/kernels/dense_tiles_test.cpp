#include "kernels/dense_tiles.hpp"

#include <numeric>

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

// Shapes below, at and across a strip of vectors; every tile size.
const std::pair<int64_t, int64_t> kShapes[] = {{1, 1},   {3, 10},   {7, 15}, {16, 16},
                                               {33, 47}, {90, 200}, {5, 48}, {70, 97}};

template <class T>
std::vector<int32_t> some_units(int64_t k) {
  std::vector<int32_t> units;
  for (int64_t i = 0; i < k; ++i)
    if (i % 3 != 1 || k < 4) units.push_back(static_cast<int32_t>(i));
  return units;
}

// A sum of m products in T, in any order and fused or not: at most m + 1 roundings on the sum of the terms' sizes.
TEST(DenseTiles, ThreeProductsMatchTheirFormulas) {
  test::for_float_and_double([&]<class T>() {
    const double u = test::unit<T>;
    for (auto [k, n] : kShapes)
      for (int64_t B : {1, 2, 4, 8}) {
        const auto units = some_units<T>(k);
        const auto count = static_cast<int64_t>(units.size());
        Matrix<T> x(Backend::cpu, k, B, 1), w(Backend::cpu, k, n, 2), z(Backend::cpu, B, n, 3),
            d(Backend::cpu, B, n, 4), e(Backend::cpu, k, B, 5), v(Backend::cpu, k, n, 6);
        detail::dense_forward<T>(B, x.data(), units.data(), count, w.data(), n, z.data());
        detail::dense_backward<T>(B, d.data(), w.data(), k, n, e.data());
        detail::dense_update<T>(B, x.data(), units.data(), count, d.data(), n, v.data());
        const auto got_z = z.host(), got_e = e.host(), got_v = v.host();
        test::Near near_z("z"), near_e("e"), near_v("w");
        for (int64_t b = 0; b < B; ++b)
          for (int64_t j = 0; j < n; ++j) {
            double sum = z.initial(b, j), size = std::abs(sum);
            for (int32_t i : units) {
              sum += x.initial(i, b) * w.initial(i, j);
              size += std::abs(x.initial(i, b) * w.initial(i, j));
            }
            near_z(static_cast<double>(got_z[static_cast<size_t>(b * n + j)]), sum,
                   static_cast<double>(count + 2) * u * size, b, j);
          }
        for (int64_t i = 0; i < k; ++i) {
          for (int64_t b = 0; b < B; ++b) {
            double sum = 0, size = 0;
            for (int64_t j = 0; j < n; ++j) {
              sum += d.initial(b, j) * w.initial(i, j);
              size += std::abs(d.initial(b, j) * w.initial(i, j));
            }
            near_e(static_cast<double>(got_e[static_cast<size_t>(i * B + b)]), sum,
                   static_cast<double>(n + 1) * u * size, i, b);
          }
          const bool used = std::find(units.begin(), units.end(), i) != units.end();
          for (int64_t j = 0; j < n; ++j) {
            double sum = v.initial(i, j), size = std::abs(sum);
            for (int64_t b = 0; used && b < B; ++b) {
              sum += x.initial(i, b) * d.initial(b, j);
              size += std::abs(x.initial(i, b) * d.initial(b, j));
            }
            near_v(static_cast<double>(got_v[static_cast<size_t>(i * n + j)]), sum,
                   used ? static_cast<double>(B + 2) * u * size : 0, i, j);
          }
        }
      }
  });
}

// Samples in rows, in tiles of 8, 4, 2 or 1: the bits of their interleaved twins in one tile of 8; started afresh, those on rows of zeros.
TEST(DenseTiles, PlacesAreTheirTwinsHoweverCut) {
  test::for_float_and_double([&]<class T>() {
    for (auto [k, n] : kShapes)
      for (int64_t size : {8, 4, 2, 1}) {
        const auto units = some_units<T>(k);
        const auto count = static_cast<int64_t>(units.size());
        const int64_t ld = k + 5;
        Matrix<T> x(Backend::cpu, 8, k, 1, ld), w(Backend::cpu, k, n, 2), d(Backend::cpu, 8, n, 4);
        std::vector<T> turned(static_cast<size_t>(8 * k)), zeros = Matrix<T>(Backend::cpu, k, n, 6).dense();
        for (int64_t b = 0; b < 8; ++b)
          for (int64_t i = 0; i < k; ++i)
            turned[static_cast<size_t>(i * 8 + b)] = x.dense()[static_cast<size_t>(b * k + i)];
        for (int32_t i : units) std::fill_n(zeros.begin() + i * n, n, T{0});
        Matrix<T> z(Backend::cpu, 8, n, 3), z_cut(Backend::cpu, 8, n, 3), v(Backend::cpu, k, n, 6),
            v_cut(Backend::cpu, k, n, 6), fresh(Backend::cpu, k, n, 6), from_zero(Backend::cpu, k, n, zeros);
        detail::dense_forward<T>(8, turned.data(), units.data(), count, w.data(), n, z.data());
        detail::dense_update<T>(8, turned.data(), units.data(), count, d.data(), n, v.data());
        detail::dense_update<T>(8, turned.data(), units.data(), count, d.data(), n, from_zero.data());
        for (int64_t b = 0; b < 8; b += size) {
          const T* at = x.data() + b * ld;
          detail::places_forward<T>(size, at, ld, units.data(), count, w.data(), n, z_cut.data() + b * n);
          detail::places_update<T>(size, at, ld, units.data(), count, d.data() + b * n, n, v_cut.data());
          detail::places_update<T>(size, at, ld, units.data(), count, d.data() + b * n, n, fresh.data(), b == 0);
        }
        test::expect_same_bits(z.host(), z_cut.host(), "forward");
        test::expect_same_bits(v.host(), v_cut.host(), "update");
        test::expect_same_bits(from_zero.host(), fresh.host(), "fresh update");
      }
  });
}

}  // namespace
}  // namespace orrery
