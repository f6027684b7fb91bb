#include "kernels/sign_attack.hpp"

namespace orrery::detail {

template <Backend B>
void flip_signs_impl(const Context&, const Rows& rows, Slot slot, VectorView<const double> probability,
                     const SignsOut& signs) {
  const uint64_t step = slot.at().key();
#pragma omp parallel for schedule(dynamic)
  for (int64_t r = 0; r < rows.count; ++r) {
    if (probability[r] <= 0) continue;
    const Stream coins(rows.seed[r], Draw::attack, static_cast<uint32_t>(rows.worker[r]), step);
    for (int64_t k = 0; k < signs.words(); ++k)
      store(signs, r, k,
            flipped(sign_word(signs, r, k), flips(coins, probability[r], k), bits_in_use(signs.coordinates, k)));
  }
}

template <Backend B>
void oppose_signs_impl(const Context&, const SignsIn& u, VectorView<const int64_t> node,
                       VectorView<const uint8_t> chosen, const SignsOut& signs) {
#pragma omp parallel for schedule(dynamic)
  for (int64_t r = 0; r < signs.rows(); ++r)
    for (int64_t k = 0; chosen[r] && k < signs.words(); ++k)
      store(signs, r, k, opposed(sign_word(u, node[r], k), bits_in_use(signs.coordinates, k)));
}

template void flip_signs_impl<Backend::cpu>(const Context&, const Rows&, Slot, VectorView<const double>,
                                            const SignsOut&);
template void oppose_signs_impl<Backend::cpu>(const Context&, const SignsIn&, VectorView<const int64_t>,
                                              VectorView<const uint8_t>, const SignsOut&);

}  // namespace orrery::detail
