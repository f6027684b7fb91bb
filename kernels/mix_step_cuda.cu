#include "kernels/batched_gemm.hpp"
#include "kernels/core/launch.cuh"
#include "kernels/mix_step.hpp"

namespace orrery::detail {
namespace {

constexpr int64_t sector = 32,
                  widest = 128;  // bytes of a row in a strip: the least that memory moves, and a warp's floats
constexpr int block_threads = 512;
constexpr int64_t held_bytes = int64_t{8} << 20;  // of the second buffer: stays in the second-level cache

template <class T>
struct Mixing {
  MixForm form;
  MixTable table;
  VectorView<const double> eta;
  MatrixView<const T> g;
  MatrixView<T> w;

  // what row r offers its neighbours
  __device__ T offered(int64_t r, int64_t j) const {
    return form == MixForm::diffusion ? w(r, j) - static_cast<T>(eta[r]) * g(r, j) : w(r, j);
  }
  // row r mixed: held[l * stride] is what row `first` + l offers
  __device__ T mixed(int64_t r, int64_t j, const T* held, int64_t first, int64_t stride) const {
    T sum{0};
    for (int64_t e = table.begin[r]; e < table.begin[r + 1]; ++e)
      sum += static_cast<T>(table.weight[e]) * held[(table.source[e] - first) * stride];
    return form == MixForm::consensus ? sum - static_cast<T>(eta[r]) * g(r, j) : sum;
  }
};

// Grid: x = strips of blockDim.x columns, y = replicas (strided). Block: a strip's columns by rows; shared: (nodes, columns).
template <class T>
__global__ void mix_strip_kernel(Mixing<T> step, int64_t nodes, int64_t replicas) {
  ORRERY_DYNAMIC_SHARED(T, held);
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x, width = blockDim.x;
  const bool inside = j < step.w.extent(1);
  for (int64_t i = blockIdx.y; i < replicas; i += gridDim.y) {
    const int64_t first = i * nodes;
    for (int64_t k = threadIdx.y; k < nodes; k += blockDim.y)
      if (inside) held[k * width + threadIdx.x] = step.offered(first + k, j);
    __syncthreads();
    for (int64_t k = threadIdx.y; k < nodes; k += blockDim.y)
      if (inside) step.w(first + k, j) = step.mixed(first + k, j, held + threadIdx.x, first, width);
    __syncthreads();  // before the next replica's rows take their place
  }
}

// A block of columns through the second buffer. Grid: x = strips of 256 columns, y = rows (strided).
template <class T>
__global__ void hold_kernel(Mixing<T> step, int64_t j0, int64_t n, MatrixView<T> held) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < held.extent(0); r += gridDim.y) held(r, j) = step.offered(r, j0 + j);
}
template <class T>
__global__ void mix_held_kernel(Mixing<T> step, int64_t j0, int64_t n, MatrixView<const T> held) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < held.extent(0); r += gridDim.y)
    step.w(r, j0 + j) = step.mixed(r, j0 + j, held.data() + j, 0, held.stride());
}
template <class T>
__global__ void subtract_kernel(Mixing<T> step, int64_t j0, int64_t n) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= n) return;
  for (int64_t r = blockIdx.y; r < step.w.extent(0); r += gridDim.y)
    step.w(r, j0 + j) -= static_cast<T>(step.eta[r]) * step.g(r, j0 + j);
}

unsigned at_most(int64_t n, int64_t most) { return static_cast<unsigned>(n < most ? n : most); }

template <class T>
void through_shared(const Context& ctx, const MixPlan<T>& plan, const Mixing<T>& step) {
  const int64_t width = plan.strip(), strips = (plan.columns() + width - 1) / width;
  const size_t bytes = static_cast<size_t>(plan.nodes() * width) * sizeof(T);
  allow_shared(mix_strip_kernel<T>, bytes);
  launch(mix_strip_kernel<T>, dim3(static_cast<unsigned>(strips), at_most(plan.replicas(), 65535)),
         dim3(static_cast<unsigned>(width), at_most(plan.nodes(), block_threads / width)), bytes, ctx.stream(), step,
         plan.nodes(), plan.replicas());
}

template <class T>
void through_buffer(const Context& ctx, const MixPlan<T>& plan, const Mixing<T>& step) {
  const MatrixView<T> held = plan.held();
  const int64_t W = plan.nodes(), block = held.extent(1);
  for (int64_t j0 = 0; j0 < plan.columns(); j0 += block) {
    const int64_t n = block < plan.columns() - j0 ? block : plan.columns() - j0;
    const dim3 grid(static_cast<unsigned>((n + 255) / 256), at_most(held.extent(0), 65535));
    launch(hold_kernel<T>, grid, dim3(256), 0, ctx.stream(), step, j0, n, held);
    if (!plan.dense()) {
      launch(mix_held_kernel<T>, grid, dim3(256), 0, ctx.stream(), step, j0, n, MatrixView<const T>(held));
      continue;
    }
    batched_gemm<T>(ctx, W, n, W, T{1}, {plan.matrix(), W, plan.matrix_stride()}, {held.data(), block, W * block}, T{0},
                    {step.w.data() + j0, step.w.stride(), W * step.w.stride()}, plan.replicas());
    if (step.form == MixForm::consensus) launch(subtract_kernel<T>, grid, dim3(256), 0, ctx.stream(), step, j0, n);
  }
}

int64_t attribute(cudaDeviceAttr which) {
  int device = 0, value = 0;
  check(cudaGetDevice(&device));
  check(cudaDeviceGetAttribute(&value, which, device));
  return value;
}

}  // namespace

// The widest strip of which a multiprocessor holds two, so that one block loads while another mixes; else the widest that fits.
template <class T, Backend B>
int64_t mix_strip_impl(int64_t nodes, bool) {
  constexpr int64_t reserved = 1024;  // bytes of each block that CUDA keeps
  const int64_t block = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin),
                both = attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor);
  for (int64_t bytes = widest; bytes >= sector; bytes /= 2)
    if (nodes * bytes <= block && 2 * (nodes * bytes + reserved) <= both) return bytes / int64_t{sizeof(T)};
  for (int64_t bytes = widest; bytes >= sector; bytes /= 2)
    if (nodes * bytes <= block) return bytes / int64_t{sizeof(T)};
  return 0;
}

template <class T, Backend B>
int64_t mix_held_impl(int64_t rows, int64_t columns) {
  constexpr int64_t fewest = 32;
  const int64_t fit = held_bytes / (rows * int64_t{sizeof(T)}) / fewest * fewest;
  const int64_t block = fit > fewest ? fit : fewest;
  return block < columns ? block : columns;
}

template <class T, Backend B>
void mix_step_impl(const Context& ctx, const MixPlan<T>& plan, MixForm form, VectorView<const double> eta,
                   MatrixView<const T> g, MatrixView<T> w) {
  const Mixing<T> step{form, plan.table(), eta, g, w};
  plan.held().size() > 0 ? through_buffer(ctx, plan, step) : through_shared(ctx, plan, step);
}

#define ORRERY_INSTANTIATE(T)                                                                                         \
  template int64_t mix_strip_impl<T, Backend::cuda>(int64_t, bool);                                                   \
  template int64_t mix_held_impl<T, Backend::cuda>(int64_t, int64_t);                                                 \
  template void mix_step_impl<T, Backend::cuda>(const Context&, const MixPlan<T>&, MixForm, VectorView<const double>, \
                                                MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
