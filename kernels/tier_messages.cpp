#include "kernels/tier_messages.hpp"

namespace orrery {
namespace {

template <class T>
void check_rows(const Context& ctx, const TierRows& rows, MatrixView<const T> x, MatrixView<const T> owners) {
  expects(x.extent(1) == owners.extent(1), "rows of P and owners of P");
  expects(rows.of.size() == 0 ? x.extent(0) == owners.extent(0) : rows.of.size() == x.extent(0),
          "an owner for every row");
  expects(rows.acts.size() == 0 || rows.acts.size() == x.extent(0), "a mark for every row, or none");
  expects(x.where() == ctx.backend && owners.where() == ctx.backend, "rows and owners on the context's side");
}

}  // namespace

void tier_numbers(const Context& ctx, Slot slot, VectorView<const int64_t> unit, VectorView<int64_t> number) {
  expects(unit.size() == number.size(), "a unit for every number");
  if (number.size() == 0) return;
  expects(unit.where() == ctx.backend && number.where() == ctx.backend, "numbers on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::tier_numbers_impl<B>(ctx, slot, unit, number); });
}

void tier_senders(const Context& ctx, Slot slot, VectorView<const int64_t> period, VectorView<const uint8_t> present,
                  VectorView<uint8_t> acts) {
  expects(period.size() == acts.size() && (present.size() == 0 || present.size() == acts.size()),
          "a period and a mark for every row");
  if (acts.size() == 0) return;
  expects(period.where() == ctx.backend && acts.where() == ctx.backend, "periods and marks on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::tier_senders_impl<B>(ctx, slot, period, present, acts); });
}

template <class T>
void tier_offer(const Context& ctx, const TierRows& rows, MatrixView<const T> x, MatrixView<const T> ref, bool keep,
                MatrixView<T> e) {
  check_rows<T>(ctx, rows, x, ref);
  expects(e.extent(0) == x.extent(0) && e.extent(1) == x.extent(1), "e of the shape of x");
  if (e.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::tier_offer_impl<T, B>(ctx, rows, x, ref, keep, e); });
}

template <class T>
void tier_settle(const Context& ctx, const TierRows& rows, MatrixView<const T> q, MatrixView<T> e, MatrixView<T> ref) {
  check_rows<T>(ctx, {{}, rows.acts}, q, e);
  expects(rows.of.size() == 0, "messages of the rows themselves");
  expects(ref.size() == 0 || (ref.extent(0) == e.extent(0) && ref.extent(1) == e.extent(1)), "ref of the shape of e");
  if (e.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::tier_settle_impl<T, B>(ctx, rows, q, e, ref); });
}

template <class T>
void tier_take(const Context& ctx, const TierRows& rows, MatrixView<const T> m, MatrixView<T> x) {
  check_rows<T>(ctx, rows, x, m);
  if (x.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::tier_take_impl<T, B>(ctx, rows, m, x); });
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void tier_offer<T>(const Context&, const TierRows&, MatrixView<const T>, MatrixView<const T>, bool,      \
                              MatrixView<T>);                                                                       \
  template void tier_settle<T>(const Context&, const TierRows&, MatrixView<const T>, MatrixView<T>, MatrixView<T>); \
  template void tier_take<T>(const Context&, const TierRows&, MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
