#include <algorithm>

#include "kernels/pack_words.hpp"
#include "kernels/sign_pack.hpp"

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
      const int64_t k = s * strip, last = std::min((s + 1) * strip * bits_of_word, g.extent(1));
      pack_words(g.row(r) + k * bits_of_word, last - k * bits_of_word, rule, coins, k, signs.positive.row(r),
                 signs.has_zeros() ? signs.zero.row(r) : nullptr);
    }
}

#define ORRERY_INSTANTIATE(T)                                                                                     \
  template void sign_pack_impl<T, Backend::cpu>(const Context&, const Rows&, Slot, SignZero, MatrixView<const T>, \
                                                const SignsOut&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
