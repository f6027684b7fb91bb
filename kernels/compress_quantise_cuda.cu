#include "kernels/compress_quantise.hpp"
#include "kernels/core/block.cuh"
#include "kernels/core/launch.cuh"
#include "kernels/core/rounding.cuh"
#include "kernels/row_lanes.hpp"
#include "kernels/top_signs.hpp"

namespace orrery::detail {
namespace {

using Map = QuantiseRule::Map;
using Scale = QuantiseRule::Scale;
using Code = QuantiseRule::Code;

// The row's norm, in every thread; a thread is a lane of row_lanes.hpp.
template <class T>
__device__ double norm_of(Scale scale, const T* x, int64_t P) {
  if (scale == Scale::max) {
    int64_t most = 0;
    for (int64_t j = threadIdx.x; j < P; j += blockDim.x) {
      const auto bits = static_cast<int64_t>(magnitude_bits(x[j]));
      most = bits > most ? bits : most;
    }
    const auto bits = static_cast<decltype(magnitude_bits(T{}))>(block_max(most));
    T value;
    memcpy(&value, &bits, sizeof value);
    return static_cast<double>(value);
  }
  double sum = 0;
  for (int64_t j = threadIdx.x; j < P; j += blockDim.x) {
    const auto v = static_cast<double>(x[j]);
    sum += scale == Scale::l2 ? rounded_product(v, v) : fabs(v);
  }
  return block_sum(sum);
}

// one coordinate; returns its bits beyond the fixed part
template <class T>
__device__ int64_t quantise_one(const QuantiseRule& rule, T scale, T h, uint32_t word, bool counted, T x, T& q) {
  switch (rule.map) {
    case Map::sign: q = sign_value(scale, x); return x == T{0} ? 1 : 0;
    case Map::levels: {
      const T level =
          level_of(x, divisor_of(h), static_cast<T>(rule.levels), rule.dither ? dither_of<T>(word) : below_half<T>);
      q = level_value(h, level);
      if (!counted || rule.code == Code::fixed) return 0;
      const auto l = static_cast<uint64_t>(level < T{0} ? -level : level);
      return code_bits(rule.code, l + 1) + (l > 0 ? 1 : 0);
    }
    case Map::grid: {
      const T level = grid_level(x, divisor_of(h));
      q = level_value(h, level);
      return counted ? code_bits(rule.code, code_of_level(static_cast<int64_t>(level))) : 0;
    }
    case Map::natural: q = natural_value<T>(is_negative(x), natural_code(x, word)); return 0;
  }
  return 0;
}

// Grid: one block per row (strided), of row_lanes(P) threads; a thread takes four coordinates, which share a block of draws.
template <class T>
__global__ void compress_quantise_kernel(Rows rows, Slot slot, QuantiseRule rule, MatrixView<const T> x,
                                         MatrixView<T> q, VectorView<int64_t> bits) {
  const Step t = slot.at();
  const int64_t P = x.extent(1);
  const bool draws_words = rule.map == Map::natural || (rule.map == Map::levels && rule.dither);
  const bool scaled = rule.map == Map::sign || rule.map == Map::levels, counted = bits.size() > 0;
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    const T* const from = x.row(r);
    T* const to = q.row(r);
    const T scale = scaled ? scale_of<T>(rule, norm_of(rule.scale, from, P), P) : T{1};
    const T h = rule.map == Map::grid ? grid_step<T>(rule, t.slot) : scale / static_cast<T>(rule.levels);
    const Stream draws = dither_draws(rows.seed[r], rows.worker[r], t.key());
    int64_t beyond = 0;
    for (int64_t b = threadIdx.x; 4 * b < P; b += blockDim.x) {
      PhiloxBlock words{};
      if (draws_words) words = draws.block(static_cast<uint32_t>(b));
#pragma unroll
      for (int i = 0; i < 4; ++i)
        if (const int64_t j = 4 * b + i; j < P)
          beyond += quantise_one(rule, scale, h, words.word[i], counted, from[j], to[j]);
    }
    if (!counted) continue;  // the whole block
    beyond = block_sum(beyond);
    if (rule.map == Map::sign) beyond = beyond > 0 && beyond < P ? P - beyond : 0;
    if (threadIdx.x == 0) bits[r] = beyond;
  }
}

}  // namespace

template <class T, Backend B>
void compress_quantise_impl(const Context& ctx, const Rows& rows, Slot slot, const QuantiseRule& rule,
                            MatrixView<const T> x, MatrixView<T> q, VectorView<int64_t> bits) {
  launch(compress_quantise_kernel<T>, dim3(static_cast<unsigned>(rows.count < (1 << 20) ? rows.count : (1 << 20))),
         dim3(static_cast<unsigned>(row_lanes(x.extent(1)))), 0, ctx.stream(), rows, slot, rule, x, q, bits);
}

#define ORRERY_INSTANTIATE(T)                                                                                    \
  template void compress_quantise_impl<T, Backend::cuda>(const Context&, const Rows&, Slot, const QuantiseRule&, \
                                                         MatrixView<const T>, MatrixView<T>, VectorView<int64_t>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
