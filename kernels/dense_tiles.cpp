// Compiled with multiply-add contraction, unlike the rest: nothing here is inlined elsewhere, so it has one result on one machine.
#include "kernels/dense_tiles.hpp"

#include <utility>

namespace orrery::detail {
namespace {

#if defined(__AVX512F__)
constexpr int vector_bytes = 64, accumulators = 24;  // of 32 registers
#elif defined(__AVX2__)
constexpr int vector_bytes = 32, accumulators = 8;  // of 16
#else
constexpr int vector_bytes = 16, accumulators = 8;
#endif
template <class T>
constexpr int lanes = vector_bytes / static_cast<int>(sizeof(T));

template <class T, int W>
struct VectorOf {  // W numbers, at any address
  typedef T type __attribute__((vector_size(W * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <class T, int W>
using Vector = typename VectorOf<T, W>::type;
template <class T, int W>
Vector<T, W> load(const T* p) {
  return *reinterpret_cast<const Vector<T, W>*>(p);
}
template <class T, int W>
void store(T* p, Vector<T, W> v) {
  *reinterpret_cast<Vector<T, W>*>(p) = v;
}

template <class T, int W, int First, int... L>
Vector<T, static_cast<int>(sizeof...(L))> part(Vector<T, W> v, std::integer_sequence<int, L...>) {
  return __builtin_shufflevector(v, v, (First + L)...);
}
// The groups of B lanes of a vector added in halves.
template <class T, int W, int B>
Vector<T, B> fold(Vector<T, W> v) {
  if constexpr (W == B) {
    return v;
  } else {
    using Half = std::make_integer_sequence<int, W / 2>;
    return fold<T, W / 2, B>(part<T, W, 0>(v, Half{}) + part<T, W, W / 2>(v, Half{}));
  }
}

// a and b with neighbouring groups of G lanes added: groups of the result come from a, b, a, b, ...
template <class T, int W, int G, int... L>
Vector<T, W> add_neighbours(Vector<T, W> a, Vector<T, W> b, std::integer_sequence<int, L...>) {
  // lane l of the result is group l / G: even groups from a, odd ones from b
  constexpr auto from = [](int l, int odd) {
    const int group = l / G, pair = group / 2;
    return (group % 2 == 0 ? 0 : W) + (2 * pair + odd) * G + l % G;
  };
  return __builtin_shufflevector(a, b, from(L, 0)...) + __builtin_shufflevector(a, b, from(L, 1)...);
}

// The sums over the lanes of each of B vectors, as one vector of B: neighbours are added in pairs until every vector is down to one lane
// of each group of B, then the groups in halves.
template <class T, int W, int B>
Vector<T, B> sums(Vector<T, W>* v) {
  using Lanes = std::make_integer_sequence<int, W>;
  if constexpr (B >= 2)
    for (int k = 0; k < B / 2; ++k) v[k] = add_neighbours<T, W, 1>(v[2 * k], v[2 * k + 1], Lanes{});
  if constexpr (B >= 4)
    for (int k = 0; k < B / 4; ++k) v[k] = add_neighbours<T, W, 2>(v[2 * k], v[2 * k + 1], Lanes{});
  if constexpr (B >= 8) v[0] = add_neighbours<T, W, 4>(v[0], v[1], Lanes{});
  return fold<T, W, B>(v[0]);
}

// Cuts n columns into strips of `strip` vectors of W lanes, then of fewer, then of smaller vectors; f<strip, W>(first column).
template <class T, int Strip, int W, class F>
void for_strips(int64_t first, int64_t n, F& f) {
  while (n - first >= Strip * W) {
    f.template operator()<Strip, W>(first);
    first += Strip * W;
  }
  if constexpr (Strip > 1)
    for_strips<T, Strip / 2, W>(first, n, f);
  else if constexpr (W > 1)
    for_strips<T, 1, W / 2>(first, n, f);
}

// Where the samples of a tile lie: the fast index, or rows `ld` numbers apart.
template <class T, int B>
struct Interleaved {
  const T* x;
  T operator()(int64_t i, int b) const { return x[i * B + b]; }
};
template <class T>
struct Places {
  const T* x;
  int64_t ld;
  T operator()(int64_t i, int b) const { return x[b * ld + i]; }
};

template <class T, int B, int Strip, int W, class X>
void forward_strip(X x, const int32_t* units, int64_t unit_count, const T* w, int64_t n, T* z) {
  Vector<T, W> acc[B][Strip];
  for (int b = 0; b < B; ++b)
    for (int s = 0; s < Strip; ++s) acc[b][s] = load<T, W>(z + b * n + s * W);
  for (int64_t q = 0; q < unit_count; ++q) {
    const int64_t i = units[q];
    Vector<T, W> row[Strip];
    for (int s = 0; s < Strip; ++s) row[s] = load<T, W>(w + i * n + s * W);
    for (int b = 0; b < B; ++b) {
      const T factor = x(i, b);
      for (int s = 0; s < Strip; ++s) acc[b][s] += row[s] * factor;
    }
  }
  for (int b = 0; b < B; ++b)
    for (int s = 0; s < Strip; ++s) store<T, W>(z + b * n + s * W, acc[b][s]);
}

// Fresh: the rows of the units start at 0, whatever they hold.
template <class T, int B, int Strip, int W, bool Fresh, class X>
void update_strip(X x, const int32_t* units, int64_t unit_count, const T* delta, int64_t n, T* w) {
  Vector<T, W> held[B][Strip];
  for (int b = 0; b < B; ++b)
    for (int s = 0; s < Strip; ++s) held[b][s] = load<T, W>(delta + b * n + s * W);
  for (int64_t q = 0; q < unit_count; ++q) {
    const int64_t i = units[q];
    Vector<T, W> row[Strip];
    for (int s = 0; s < Strip; ++s)
      if constexpr (Fresh)
        row[s] = Vector<T, W>{};
      else
        row[s] = load<T, W>(w + i * n + s * W);
    for (int b = 0; b < B; ++b) {
      const T factor = x(i, b);
      for (int s = 0; s < Strip; ++s) row[s] += held[b][s] * factor;
    }
    for (int s = 0; s < Strip; ++s) store<T, W>(w + i * n + s * W, row[s]);
  }
}

// Rows of W at once: every loaded delta serves all of them. `rest`: the last columns of delta, (columns, B).
template <class T, int B, int Rows, int W>
void backward_rows(const T* delta, const T* rest, const T* w, int64_t n, T* e) {
  Vector<T, W> acc[Rows][B] = {};
  const int64_t whole = n / W * W;
  for (int64_t j = 0; j < whole; j += W) {
    Vector<T, W> row[Rows];
    for (int r = 0; r < Rows; ++r) row[r] = load<T, W>(w + r * n + j);
    for (int b = 0; b < B; ++b) {
      const Vector<T, W> d = load<T, W>(delta + b * n + j);
      for (int r = 0; r < Rows; ++r) acc[r][b] += row[r] * d;
    }
  }
  Vector<T, B> total[Rows];
  for (int r = 0; r < Rows; ++r) total[r] = whole > 0 ? sums<T, W, B>(acc[r]) : Vector<T, B>{};
  for (int64_t j = whole; j < n; ++j) {
    const Vector<T, B> d = load<T, B>(rest + (j - whole) * B);
    for (int r = 0; r < Rows; ++r) total[r] += d * w[r * n + j];
  }
  for (int r = 0; r < Rows; ++r) store<T, B>(e + r * B, total[r]);
}

template <class F>
void with_batch(int64_t batch, F f) {
  switch (batch) {
    case 1: return f.template operator()<1>();
    case 2: return f.template operator()<2>();
    case 4: return f.template operator()<4>();
    default: return f.template operator()<8>();
  }
}
// vectors of columns held at once for B samples
template <int B>
constexpr int widest_strip = accumulators / B > 12  ? 12
                             : accumulators / B < 1 ? 1
                                                    : accumulators / B;

// Inputs taken at once in all strips, so that their rows of W stay in the first-level cache between one strip and the next: 32 KB.
template <class T>
int64_t block_of(int64_t n) {
  const int64_t rows = (int64_t{32} << 10) / (n * static_cast<int64_t>(sizeof(T)) + 1);
  return rows < 16 ? 16 : rows;
}

template <class T, int B, class X>
void forward(X x, const int32_t* units, int64_t unit_count, const T* w, int64_t n, T* z) {
  const int64_t block = block_of<T>(n);
  for (int64_t q = 0; q < unit_count; q += block) {
    const int64_t many = unit_count - q < block ? unit_count - q : block;
    auto strip = [&]<int Strip, int W>(int64_t j) {
      forward_strip<T, B, Strip, W>(x, units + q, many, w + j, n, z + j);
    };
    for_strips<T, widest_strip<B>, lanes<T>>(0, n, strip);
  }
}
template <class T, int B, bool Fresh, class X>
void update(X x, const int32_t* units, int64_t unit_count, const T* delta, int64_t n, T* w) {
  const int64_t block = block_of<T>(n);
  for (int64_t q = 0; q < unit_count; q += block) {
    const int64_t many = unit_count - q < block ? unit_count - q : block;
    auto strip = [&]<int Strip, int W>(int64_t j) {
      update_strip<T, B, Strip, W, Fresh>(x, units + q, many, delta + j, n, w + j);
    };
    for_strips<T, widest_strip<B>, lanes<T>>(0, n, strip);
  }
}

}  // namespace

template <class T>
void dense_forward(int64_t batch, const T* x, const int32_t* units, int64_t unit_count, const T* w, int64_t n, T* z) {
  with_batch(batch, [&]<int B>() { forward<T, B>(Interleaved<T, B>{x}, units, unit_count, w, n, z); });
}
template <class T>
void places_forward(int64_t batch, const T* x, int64_t ld, const int32_t* units, int64_t unit_count, const T* w,
                    int64_t n, T* z) {
  with_batch(batch, [&]<int B>() { forward<T, B>(Places<T>{x, ld}, units, unit_count, w, n, z); });
}

template <class T>
void dense_update(int64_t batch, const T* x, const int32_t* units, int64_t unit_count, const T* delta, int64_t n,
                  T* w) {
  with_batch(batch, [&]<int B>() { update<T, B, false>(Interleaved<T, B>{x}, units, unit_count, delta, n, w); });
}
template <class T>
void places_update(int64_t batch, const T* x, int64_t ld, const int32_t* units, int64_t unit_count, const T* delta,
                   int64_t n, T* w, bool fresh) {
  with_batch(batch, [&]<int B>() {
    if (fresh)
      update<T, B, true>(Places<T>{x, ld}, units, unit_count, delta, n, w);
    else
      update<T, B, false>(Places<T>{x, ld}, units, unit_count, delta, n, w);
  });
}

template <class T>
void dense_backward(int64_t batch, const T* delta, const T* w, int64_t k, int64_t n, T* e) {
  with_batch(batch, [&]<int B>() {
    constexpr int W = lanes < T >> B ? lanes<T> : B, together = B == 8 ? 1 : 4;  // measured
    T rest[W * B];
    for (int64_t j = n / W * W; j < n; ++j)
      for (int b = 0; b < B; ++b) rest[(j % W) * B + b] = delta[b * n + j];
    int64_t i = 0;
    for (; i + together <= k; i += together) backward_rows<T, B, together, W>(delta, rest, w + i * n, n, e + i * B);
    for (; i < k; ++i) backward_rows<T, B, 1, W>(delta, rest, w + i * n, n, e + i * B);
  });
}

#define ORRERY_INSTANTIATE(T)                                                                                       \
  template void places_forward<T>(int64_t, const T*, int64_t, const int32_t*, int64_t, const T*, int64_t, T*);      \
  template void places_update<T>(int64_t, const T*, int64_t, const int32_t*, int64_t, const T*, int64_t, T*, bool); \
  template void dense_forward<T>(int64_t, const T*, const int32_t*, int64_t, const T*, int64_t, T*);                \
  template void dense_backward<T>(int64_t, const T*, const T*, int64_t, int64_t, T*);                               \
  template void dense_update<T>(int64_t, const T*, const int32_t*, int64_t, const T*, int64_t, T*);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
