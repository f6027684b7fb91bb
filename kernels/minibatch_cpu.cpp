#include <algorithm>

#include "kernels/minibatch.hpp"
#include "kernels/minibatch_inline.hpp"

namespace orrery::detail {

template <class T, Backend B>
void minibatch_impl(const Context&, const Rows& rows, const SampleView& samples, Slot slot, int64_t first,
                    int64_t count, MatrixView<T> x, MatrixView<int32_t> y) {
  const int64_t d = samples.features();
  const Step t = slot.at();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < rows.count; ++r) {
    const bool active = rows.active(r, t);
    const int64_t batch = active ? rows.batch_size(r) : 0;
    for (int64_t k = 0; k < count; ++k) {
      T* out = x.row(r) + k * d;
      if (first + k < batch) {
        const int64_t s = rows.sample(r, t, first + k);
        copy_features(samples, s, out);
        y(r, k) = samples.labels[s];
      } else {
        std::fill(out, out + d, T{0});
        y(r, k) = -1;
      }
    }
  }
}

template <class T, Backend B>
void gather_impl(const Context&, const SampleView& samples, int64_t first, int64_t count, MatrixView<T> x) {
#pragma omp parallel for schedule(static)
  for (int64_t k = 0; k < count; ++k) copy_features(samples, first + k, x.row(k));
}

#define ORRERY_INSTANTIATE(T)                                                                                  \
  template void minibatch_impl<T, Backend::cpu>(const Context&, const Rows&, const SampleView&, Slot, int64_t, \
                                                int64_t, MatrixView<T>, MatrixView<int32_t>);                  \
  template void gather_impl<T, Backend::cpu>(const Context&, const SampleView&, int64_t, int64_t, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
