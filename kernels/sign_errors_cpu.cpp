#include "kernels/sign_errors.hpp"

#include <algorithm>

namespace orrery::detail {
namespace {

// of one word: a loop of fixed length vectorises
double word_error(const double* g, SignWord w, int64_t n) {
  double sum = 0;
  if (n == bits_of_word) {
#pragma omp simd reduction(+ : sum)
    for (uint32_t b = 0; b < 32; ++b) sum += sign_error(g[b], w.positive >> b & 1u, w.zero >> b & 1u);
  } else {
    for (uint32_t b = 0; b < n; ++b) sum += sign_error(g[b], w.positive >> b & 1u, w.zero >> b & 1u);
  }
  return sum;
}

}  // namespace

template <Backend B>
void sign_errors_impl(const Context&, const SignsIn& signs, MatrixView<const double> g, MatrixView<double> out) {
  const int64_t words = signs.words();
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t r = 0; r < out.extent(0); ++r)
    for (int64_t v = 0; v < out.extent(1); ++v) {
      double sum = 0;
      for (int64_t k = 0; k < words; ++k)
        sum += word_error(g.row(v) + k * bits_of_word, sign_word(signs, r, k),
                          std::min(bits_of_word, signs.coordinates - k * bits_of_word));
      out(r, v) = sum;
    }
}

template void sign_errors_impl<Backend::cpu>(const Context&, const SignsIn&, MatrixView<const double>,
                                             MatrixView<double>);

}  // namespace orrery::detail
