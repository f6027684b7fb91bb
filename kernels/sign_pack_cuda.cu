#include "kernels/sign_pack.hpp"
#include "kernels/signs.cuh"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

// Grid: x = strips of 256 coordinates, y = rows (strided). A warp makes one word.
template <class T>
__global__ void sign_pack_kernel(Rows rows, Slot slot, SignZero rule, MatrixView<const T> g, SignsOut signs) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int64_t k = j / bits_of_word;
  const uint64_t step = slot.at().key();
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y) {
    const bool inside = j < g.extent(1);
    const SignWord word = ballot_signs(inside ? g(r, j) : T{0}, inside);
    if (threadIdx.x % 32 == 0 && inside)
      store(signs, r, k, settle(word, rule, sign_coins(rows.seed[r], rows.worker[r], step), k));
  }
}

}  // namespace

template <class T, Backend B>
void sign_pack_impl(const Context& ctx, const Rows& rows, Slot slot, SignZero rule, MatrixView<const T> g,
                    const SignsOut& signs) {
  const dim3 grid(static_cast<unsigned>((g.extent(1) + block_threads - 1) / block_threads),
                  static_cast<unsigned>(rows.count < 65535 ? rows.count : 65535));
  launch(sign_pack_kernel<T>, grid, dim3(block_threads), 0, ctx.stream(), rows, slot, rule, g, signs);
}

#define ORRERY_INSTANTIATE(T)                                                                                      \
  template void sign_pack_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, SignZero, MatrixView<const T>, \
                                                 const SignsOut&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
