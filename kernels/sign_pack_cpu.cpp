#include "kernels/sign_pack.hpp"

#include <algorithm>

namespace orrery::detail {

template <class T, Backend B>
void sign_pack_impl(const Context&, const Rows& rows, Slot slot, SignZero rule, MatrixView<const T> g,
                    const SignsOut& signs) {
  constexpr int64_t strip = 256;  // words of one task
  const uint64_t step = slot.at().key();
  const int64_t words = signs.words(), strips = (words + strip - 1) / strip;
#pragma omp parallel for collapse(2) schedule(static)
  for (int64_t r = 0; r < rows.count; ++r)
    for (int64_t s = 0; s < strips; ++s) {
      const Stream coins = sign_coins(rows.seed[r], rows.worker[r], step);
      const int64_t last = std::min((s + 1) * strip, words);
      for (int64_t k = s * strip; k < last; ++k) {
        const int64_t j = k * bits_of_word;
        store(signs, r, k, settle(pack_signs(g.row(r) + j, g.extent(1) - j), rule, coins, k));
      }
    }
}

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template void sign_pack_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, SignZero, MatrixView<const T>, \
                                                const SignsOut&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
