#include "kernels/core/launch.cuh"
#include "kernels/sign_attack.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 128;

// Grid of both: x = strips of 128 words, y = rows (strided).
dim3 grid_for(const SignsIn& s) {
  return dim3(static_cast<unsigned>((s.words() + block_threads - 1) / block_threads),
              static_cast<unsigned>(s.rows() < 65535 ? s.rows() : 65535));
}

__global__ void flip_signs_kernel(Rows rows, Slot slot, VectorView<const double> probability, SignsOut signs) {
  const int64_t k = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (k >= signs.words()) return;
  const uint64_t step = slot.at().key();
  for (int64_t r = blockIdx.y; r < rows.count; r += gridDim.y) {
    if (probability[r] <= 0) continue;
    const Stream coins(rows.seed[r], Draw::attack, static_cast<uint32_t>(rows.worker[r]), step);
    store(signs, r, k,
          flipped(sign_word(signs, r, k), flips(coins, probability[r], k), bits_in_use(signs.coordinates, k)));
  }
}

__global__ void oppose_signs_kernel(SignsIn u, VectorView<const int64_t> node, VectorView<const uint8_t> chosen,
                                    SignsOut signs) {
  const int64_t k = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (k >= signs.words()) return;
  for (int64_t r = blockIdx.y; r < signs.rows(); r += gridDim.y)
    if (chosen[r]) store(signs, r, k, opposed(sign_word(u, node[r], k), bits_in_use(signs.coordinates, k)));
}

}  // namespace

template <Backend B>
void flip_signs_impl(const Context& ctx, const Rows& rows, Slot slot, VectorView<const double> probability,
                     const SignsOut& signs) {
  launch(flip_signs_kernel, grid_for(signs), dim3(block_threads), 0, ctx.stream(), rows, slot, probability, signs);
}

template <Backend B>
void oppose_signs_impl(const Context& ctx, const SignsIn& u, VectorView<const int64_t> node,
                       VectorView<const uint8_t> chosen, const SignsOut& signs) {
  launch(oppose_signs_kernel, grid_for(signs), dim3(block_threads), 0, ctx.stream(), u, node, chosen, signs);
}

template void flip_signs_impl<Backend::cuda>(const Context&, const Rows&, Slot, VectorView<const double>,
                                             const SignsOut&);
template void oppose_signs_impl<Backend::cuda>(const Context&, const SignsIn&, VectorView<const int64_t>,
                                               VectorView<const uint8_t>, const SignsOut&);

}  // namespace orrery::detail
