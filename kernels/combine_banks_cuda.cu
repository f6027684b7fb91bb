#include "kernels/combine_banks.hpp"
#include "kernels/core/launch.cuh"
#include "kernels/core/rounding.cuh"

namespace orrery::detail {
namespace {

constexpr unsigned block_threads = 256;

// Grid: x = strips of 256 columns, y = rows (strided).
template <class T>
__global__ void combine_banks_kernel(VectorView<const double> rate, BankSum<T> sum, MatrixView<T> y) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= y.extent(1)) return;
  for (int64_t r = blockIdx.y; r < y.extent(0); r += gridDim.y) {
    const double of_row = rate.size() > 0 ? rate[r] : 1;
    const auto part = [&](const BankTerm<T>& t) {
      return rounded_product(bank_coefficient<T>(t.factor, t.power, of_row), t.x(r, j));
    };
    T all = part(sum.term[0]);
    for (int k = 1; k < sum.terms; ++k) all += part(sum.term[k]);
    y(r, j) = sum.shrink > 0 ? shrunk(all, static_cast<T>(sum.shrink * of_row)) : all;
  }
}

}  // namespace

template <class T, Backend B>
void combine_banks_impl(const Context& ctx, VectorView<const double> rate, const BankSum<T>& sum, MatrixView<T> y) {
  const dim3 grid(static_cast<unsigned>((y.extent(1) + block_threads - 1) / block_threads),
                  static_cast<unsigned>(y.extent(0) < 65535 ? y.extent(0) : 65535));
  launch(combine_banks_kernel<T>, grid, dim3(block_threads), 0, ctx.stream(), rate, sum, y);
}

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template void combine_banks_impl<T, Backend::cuda>(const Context&, VectorView<const double>, const BankSum<T>&, \
                                                     MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
