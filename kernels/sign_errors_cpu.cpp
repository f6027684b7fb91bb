#include "kernels/sign_errors.hpp"

#include <algorithm>
#include <bit>

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
void sign_errors_impl(const Context&, const SignsIn& signs, VectorView<const double> g, VectorView<double> out) {
  const int64_t words = signs.words();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < out.size(); ++r) {
    double sum = 0;
    for (int64_t k = 0; k < words; ++k)
      sum += word_error(g.data() + k * bits_of_word, sign_word(signs, r, k),
                        std::min(bits_of_word, signs.coordinates - k * bits_of_word));
    out[r] = sum;
  }
}

template <Backend B>
void count_errors_impl(const Context&, const SignsIn& signs, const SignsIn& reference,
                       MatrixView<const uint32_t> classes, MatrixView<int64_t> out) {
  constexpr int64_t strip = 512;  // words that stay in cache for all classes
  const int64_t words = signs.words();
#pragma omp parallel for schedule(static)
  for (int64_t r = 0; r < out.extent(0); ++r) {
    for (int64_t c = 0; c < out.extent(1); ++c) out(r, c) = 0;
    for (int64_t first = 0; first < words; first += strip)
      for (int64_t c = 0; c < out.extent(1); ++c) {
        int64_t sum = 0;
        for (int64_t k = first; k < std::min(first + strip, words); ++k) {
          const SignWord w = sign_word(signs, r, k);
          const uint32_t mask = classes(c, k);
          sum += 2 * std::popcount(opposite(w, reference.positive(0, k)) & mask) + std::popcount(w.zero & mask);
        }
        out(r, c) += sum;
      }
  }
}

template void sign_errors_impl<Backend::cpu>(const Context&, const SignsIn&, VectorView<const double>,
                                             VectorView<double>);
template void count_errors_impl<Backend::cpu>(const Context&, const SignsIn&, const SignsIn&,
                                              MatrixView<const uint32_t>, MatrixView<int64_t>);

}  // namespace orrery::detail
