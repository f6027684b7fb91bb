#include "kernels/sign_step.hpp"

#include <algorithm>

namespace orrery::detail {

template <class T, Backend B>
void sign_step_impl(const Context&, const SignsIn& u, VectorView<const double> delta, MatrixView<T> x,
                    VectorView<const double> factor) {
  constexpr int64_t strip = 64;  // words of one task
  const int64_t words = u.words(), strips = (words + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t r = 0; r < x.extent(0); ++r)
    for (int64_t s = 0; s < strips; ++s) {
      const T d = static_cast<T>(delta[r]);
      if (factor.size() > 0) {
        const T f = static_cast<T>(factor[r]);
        const int64_t end = std::min((s + 1) * strip * bits_of_word, x.extent(1));
        for (int64_t j = s * strip * bits_of_word; j < end; ++j) x(r, j) *= f;
      }
      for (int64_t k = s * strip; k < std::min((s + 1) * strip, words); ++k) {
        const SignWord w = sign_word(u, r, k);
        T* const at = x.row(r) + k * bits_of_word;
        const int64_t n = std::min(bits_of_word, x.extent(1) - k * bits_of_word);
        if (n == bits_of_word)  // a whole word: a loop of fixed length vectorises
          for (uint32_t b = 0; b < 32; ++b) at[b] = stepped(at[b], d, w.positive >> b & 1u, w.zero >> b & 1u);
        else
          for (uint32_t b = 0; b < n; ++b) at[b] = stepped(at[b], d, w.positive >> b & 1u, w.zero >> b & 1u);
      }
    }
}

#define ORRERY_INSTANTIATE(T)                                                                             \
  template void sign_step_impl<T, Backend::cpu>(const Context&, const SignsIn&, VectorView<const double>, \
                                                MatrixView<T>, VectorView<const double>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
