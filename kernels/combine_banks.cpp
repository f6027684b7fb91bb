#include "kernels/combine_banks.hpp"

namespace orrery {

template <class T>
void combine_banks(const Context& ctx, VectorView<const double> rate, std::initializer_list<BankTerm<T>> terms,
                   MatrixView<T> y, double shrink) {
  expects(terms.size() >= 1 && terms.size() <= BankSum<T>::most, "1 to 6 terms");
  expects(shrink >= 0, "a threshold that is not negative");
  BankSum<T> sum;
  bool rated = shrink > 0;
  for (const auto& t : terms) {
    expects(t.x.extent(0) == y.extent(0) && t.x.extent(1) == y.extent(1), "terms of y's shape");
    expects(t.power >= -1 && t.power <= 1, "a power of -1, 0 or 1");
    expects(y.size() == 0 || t.x.where() == ctx.backend, "terms on the context's side");
    rated = rated || t.power != 0;
    sum.term[sum.terms++] = t;
  }
  sum.shrink = shrink;
  expects(!rated || rate.size() == y.extent(0), "a rate for every row");
  if (y.size() == 0) return;
  expects(y.where() == ctx.backend && (!rated || rate.where() == ctx.backend), "y and the rates on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::combine_banks_impl<T, B>(ctx, rate, sum, y); });
}

#define ORRERY_INSTANTIATE(T)                                                                                  \
  template void combine_banks<T>(const Context&, VectorView<const double>, std::initializer_list<BankTerm<T>>, \
                                 MatrixView<T>, double);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
