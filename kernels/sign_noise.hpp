// Noise added before the sign, so that the sign's expectation follows the number (noisy signSGD: Chen et al., NeurIPS 2020; stochastic signs:
// Jin et al., arXiv 2002.10940; z-SignFedAvg: Tang et al., AAAI 2024).
//
//   sign_noise   g[r,j] <- g[r,j] + s_r * xi[r,j]      xi from draw j of Stream(seed of the row's replica, purpose; worker, step):
//                  uniform   2 u - 1 on (-1, 1)
//                  normal    N(0, 1)
//   clear_rows   x[r,j] <- 0                           rows with chosen[r] != 0; with sign_noise: chosen rows of nothing but noise
//
// What follows for the sign, exactly in expectation:
//   uniform, s >= |g|   E[s sign(g + s xi)] = g, that is +1 with probability 1/2 + g/(2s): the stochastic sign of half-width s
//   normal              E[sqrt(pi/2) s sign(g + s xi)] = sqrt(pi/2) s erf(g / (s sqrt 2)), which tends to g as s grows
// z-SignFedAvg: z = 1 is the normal law, z = infinity the uniform one.
//
// Shapes   g (rows, P) of any stride, P <= 2^32; s float64 (rows), used in float64; the product is rounded to T before it is added. Rows with
//          s_r = 0 keep their bits.
// Result   each element depends on its own inputs only: same bits for any grid and any number of shards. The draws are the same on both
//          backends; the transforms, and the sum in double, to rounding.
// Cost     one Philox block for four coordinates; normal numbers a logarithm and a sine and cosine for two. Reads and writes g once.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/rows.hpp"

namespace orrery {

enum class NoiseLaw { uniform, normal };

template <class T>
void sign_noise(const Context&, const Rows&, Slot, NoiseLaw, VectorView<const double> scale, MatrixView<T> g,
                Draw purpose = Draw::sign_noise);
template <class T>
void clear_rows(const Context&, VectorView<const uint8_t> chosen, MatrixView<T> x);

// the noise of a row
ORRERY_HD inline Stream noise_draws(uint64_t seed, int32_t worker, uint64_t step, Draw purpose) {
  return Stream(seed, purpose, static_cast<uint32_t>(worker), step);
}

namespace detail {
template <class T, Backend B>
void sign_noise_impl(const Context&, const Rows&, Slot, Draw purpose, NoiseLaw, VectorView<const double> scale,
                     MatrixView<T> g);
template <class T, Backend B>
void clear_rows_impl(const Context&, VectorView<const uint8_t> chosen, MatrixView<T> x);

// xi at coordinates 4 b ... 4 b + 3, on both backends
ORRERY_HD inline void four_noises(const Stream& draws, NoiseLaw law, uint32_t b, double (&xi)[4]) {
  if (law == NoiseLaw::normal) return draws.four_normals(b, xi);
  const PhiloxBlock words = draws.block(b);
  for (int i = 0; i < 4; ++i) xi[i] = (words.word[i] + 0.5) * (1.0 / 2147483648.0) - 1.0;  // exact
}
}  // namespace detail

}  // namespace orrery
