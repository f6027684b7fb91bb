#include "kernels/sign_noise.hpp"

#include <algorithm>

namespace orrery::detail {

template <class T, Backend B>
void sign_noise_impl(const Context&, const Rows& rows, Slot slot, Draw purpose, NoiseLaw law,
                     VectorView<const double> scale, MatrixView<T> g) {
  constexpr int64_t strip = 1024;  // coordinates of one task, a multiple of four
  const uint64_t step = slot.at().key();
  const int64_t columns = g.extent(1), strips = (columns + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t r = 0; r < rows.count; ++r)
    for (int64_t s = 0; s < strips; ++s) {
      if (scale[r] == 0) continue;
      const Stream draws = noise_draws(rows.seed[r], rows.worker[r], step, purpose);
      for (int64_t j = s * strip; j < std::min((s + 1) * strip, columns); j += 4) {
        double xi[4];
        four_noises(draws, law, static_cast<uint32_t>(j / 4), xi);
        T* const at = g.row(r) + j;
        for (int64_t i = 0; i < std::min<int64_t>(4, columns - j); ++i) at[i] += static_cast<T>(scale[r] * xi[i]);
      }
    }
}

template <class T, Backend B>
void clear_rows_impl(const Context&, VectorView<const uint8_t> chosen, MatrixView<T> x) {
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < x.extent(0); ++r)
    if (chosen[r] != 0) std::fill_n(x.row(r), x.extent(1), T{0});
}

#define ORRERY_INSTANTIATE(T)                                                                       \
  template void sign_noise_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, Draw, NoiseLaw, \
                                                 VectorView<const double>, MatrixView<T>);          \
  template void clear_rows_impl<T, Backend::cpu>(const Context&, VectorView<const uint8_t>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
