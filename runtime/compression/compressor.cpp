#include "runtime/compression/compressor.hpp"

#include "runtime/compression/composition.hpp"

namespace orrery {
namespace compressors {
#define ORRERY_ENTRY(entry) extern const Entry<Compressor> entry;
#include "compressors.inc"
#undef ORRERY_ENTRY
}  // namespace compressors

const Table<Compressor>& compressor_table() {
  static const Table<Compressor> table{
#define ORRERY_ENTRY(entry) &compressors::entry,
#include "compressors.inc"
#undef ORRERY_ENTRY
  };
  return table;
}

std::unique_ptr<Compressor> make_compressor(Params& p) {
  auto outer = make(compressor_table(), p);
  if (!p.has("then")) return outer;
  if (!p.is_table("then")) p.fail("then", "is not a table; give then = { kind = ..., ... }");
  if (outer->payload({.parameters = int64_t{1} << 29}) == 0)
    p.fail("then",
           "\"" + outer->kind() +
               "\" sends no plain numbers that another compressor could take; put a sparsifier or a scalarizer first");
  Params then = p.table("then");
  return compose(std::move(outer), make_compressor(then));
}

template <class T>
void Projection<T>::pack(const RowKey& key, const T* x, wire::BitWriter& out) const {
  const auto at = where(key, x);
  write_where(at, out);
  const std::vector<T> y = numbers(key, at, x);
  for (int64_t i = 0; i < sent(key); ++i) out.real(y[static_cast<size_t>(i)]);
}

template <class T>
void Projection<T>::unpack(const RowKey& key, wire::BitReader& in, T* q) const {
  const auto at = read_where(key, in);
  std::vector<T> y(static_cast<size_t>(payload()));
  for (int64_t i = 0; i < sent(key); ++i) y[static_cast<size_t>(i)] = in.real<T>();
  place(key, at, y.data(), q);
}

template class Projection<float>;
template class Projection<double>;

}  // namespace orrery
