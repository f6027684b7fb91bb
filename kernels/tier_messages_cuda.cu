#include "kernels/core/launch.cuh"
#include "kernels/tier_messages.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

dim3 grid_of(int64_t rows, int64_t columns) {
  return dim3(static_cast<unsigned>((columns + block_threads - 1) / block_threads),
              static_cast<unsigned>(rows < 65535 ? rows : 65535));
}

__global__ void numbers_kernel(Slot slot, VectorView<const int64_t> unit, VectorView<int64_t> number) {
  const int64_t l = threadIdx.x;
  if (l < number.size()) number[l] = slot.at().slot / unit[l] - 1;
}

// Grid: x = ceil(rows / 256) blocks.
__global__ void senders_kernel(Slot slot, VectorView<const int64_t> period, VectorView<const uint8_t> present,
                               VectorView<uint8_t> acts) {
  const int64_t r = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (r < acts.size()) acts[r] = sends(slot.at().slot, period[r], present, r);
}

// Grid of the kernels below: x = strips of 256 columns, y = rows (strided).
template <class T>
__global__ void offer_kernel(TierRows rows, MatrixView<const T> x, MatrixView<const T> ref, bool keep,
                             MatrixView<T> e) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= e.extent(1)) return;
  for (int64_t r = blockIdx.y; r < e.extent(0); r += gridDim.y) {
    if (!rows.act(r)) continue;
    const T moved = x(r, j) - ref(rows.owner(r), j);
    e(r, j) = keep ? e(r, j) + moved : moved;
  }
}

template <class T>
__global__ void settle_kernel(TierRows rows, MatrixView<const T> q, MatrixView<T> e, MatrixView<T> ref) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= e.extent(1)) return;
  for (int64_t r = blockIdx.y; r < e.extent(0); r += gridDim.y) {
    if (!rows.act(r)) continue;
    e(r, j) -= q(r, j);
    if (ref.size() > 0) ref(r, j) += q(r, j);
  }
}

template <class T>
__global__ void take_kernel(TierRows rows, MatrixView<const T> m, MatrixView<T> x) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= x.extent(1)) return;
  for (int64_t r = blockIdx.y; r < x.extent(0); r += gridDim.y)
    if (rows.act(r)) x(r, j) = m(rows.owner(r), j);
}

}  // namespace

template <>
void tier_numbers_impl<Backend::cuda>(const Context& ctx, Slot slot, VectorView<const int64_t> unit,
                                      VectorView<int64_t> number) {
  expects(number.size() <= 1024, "at most 1024 tiers");
  launch(numbers_kernel, dim3(1), dim3(static_cast<unsigned>(number.size())), 0, ctx.stream(), slot, unit, number);
}

template <>
void tier_senders_impl<Backend::cuda>(const Context& ctx, Slot slot, VectorView<const int64_t> period,
                                      VectorView<const uint8_t> present, VectorView<uint8_t> acts) {
  launch(senders_kernel, dim3(static_cast<unsigned>((acts.size() + block_threads - 1) / block_threads)),
         dim3(block_threads), 0, ctx.stream(), slot, period, present, acts);
}

template <class T, Backend B>
void tier_offer_impl(const Context& ctx, const TierRows& rows, MatrixView<const T> x, MatrixView<const T> ref,
                     bool keep, MatrixView<T> e) {
  launch(offer_kernel<T>, grid_of(e.extent(0), e.extent(1)), dim3(block_threads), 0, ctx.stream(), rows, x, ref, keep,
         e);
}

template <class T, Backend B>
void tier_settle_impl(const Context& ctx, const TierRows& rows, MatrixView<const T> q, MatrixView<T> e,
                      MatrixView<T> ref) {
  launch(settle_kernel<T>, grid_of(e.extent(0), e.extent(1)), dim3(block_threads), 0, ctx.stream(), rows, q, e, ref);
}

template <class T, Backend B>
void tier_take_impl(const Context& ctx, const TierRows& rows, MatrixView<const T> m, MatrixView<T> x) {
  launch(take_kernel<T>, grid_of(x.extent(0), x.extent(1)), dim3(block_threads), 0, ctx.stream(), rows, m, x);
}

#define ORRERY_INSTANTIATE(T)                                                                            \
  template void tier_offer_impl<T, Backend::cuda>(const Context&, const TierRows&, MatrixView<const T>,  \
                                                  MatrixView<const T>, bool, MatrixView<T>);             \
  template void tier_settle_impl<T, Backend::cuda>(const Context&, const TierRows&, MatrixView<const T>, \
                                                   MatrixView<T>, MatrixView<T>);                        \
  template void tier_take_impl<T, Backend::cuda>(const Context&, const TierRows&, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
