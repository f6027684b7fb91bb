#include <algorithm>

#include "kernels/batched_gemm.hpp"
#include "kernels/mix_step.hpp"

namespace orrery::detail {
namespace {

constexpr int64_t strip_bytes = 1 << 19;      // of one strip: two fill a second-level cache
constexpr int64_t line = 64, tile_lines = 4;  // a tile's sums stay in registers
constexpr int64_t rows_ahead = 8;             // asked for early: rows are too far apart for the hardware to guess

template <class T>
constexpr int64_t tile = tile_lines* line / int64_t{sizeof(T)};  // columns

template <class T>
struct Line {  // at any address
  typedef T type __attribute__((vector_size(line), aligned(sizeof(T)), may_alias));
};

// One replica's rows in one strip.
template <class T>
struct Strip {
  const MixPlan<T>& plan;
  MixForm form;
  VectorView<const double> eta;
  MatrixView<const T> g;
  MatrixView<T> w;
  int64_t first, j0, n;  // row; columns j0 ... j0 + n - 1
  T* held;               // (W, strip)

  T rate(int64_t r) const { return static_cast<T>(eta[r]); }

  void ask_for(const T* p) const {
    for (int64_t j = 0; j < n; j += line / int64_t{sizeof(T)}) __builtin_prefetch(p + j);
    __builtin_prefetch(p + n - 1);
  }

  // held <- row k, after its step in diffusion
  void hold(int64_t k) const {
    const bool steps = form == MixForm::diffusion;
    const int64_t r = first + k;
    if (k + rows_ahead < plan.nodes()) {
      ask_for(w.row(r + rows_ahead) + j0);
      if (steps) ask_for(g.row(r + rows_ahead) + j0);
    }
    const T* __restrict__ from = w.row(r) + j0;
    T* __restrict__ to = held + k * plan.strip();
    if (!steps) {
      std::copy(from, from + n, to);
      return;
    }
    const T* __restrict__ gradient = g.row(r) + j0;
    const T step = rate(r);
    for (int64_t j = 0; j < n; ++j) to[j] = from[j] - step * gradient[j];
  }

  // w of node k, columns j0 + j ...: the terms in the order of the sources; a tile and a single column round alike
  template <int Lines>
  void mix_lines(int64_t r, int64_t j) const {
    using V = typename Line<T>::type;
    const MixTable& t = plan.table();
    V sum[Lines] = {};
    for (int64_t e = t.begin[r]; e < t.begin[r + 1]; ++e) {
      const T a = static_cast<T>(t.weight[e]);
      const V* in = reinterpret_cast<const V*>(held + (t.source[e] - first) * plan.strip() + j);
      for (int i = 0; i < Lines; ++i) sum[i] += a * in[i];
    }
    if (form == MixForm::consensus) {
      const T step = rate(r);
      const V* gradient = reinterpret_cast<const V*>(g.row(r) + j0 + j);
      for (int i = 0; i < Lines; ++i) sum[i] -= step * gradient[i];
    }
    V* out = reinterpret_cast<V*>(w.row(r) + j0 + j);
    for (int i = 0; i < Lines; ++i) out[i] = sum[i];
  }
  void mix_column(int64_t r, int64_t j) const {
    const MixTable& t = plan.table();
    T sum{0};
    for (int64_t e = t.begin[r]; e < t.begin[r + 1]; ++e)
      sum += static_cast<T>(t.weight[e]) * held[(t.source[e] - first) * plan.strip() + j];
    if (form == MixForm::consensus) sum -= rate(r) * g(r, j0 + j);
    w(r, j0 + j) = sum;
  }
  void mix(int64_t k) const {
    if (form == MixForm::consensus && k + rows_ahead < plan.nodes()) ask_for(g.row(first + k + rows_ahead) + j0);
    int64_t j = 0;
    for (; j + tile<T> <= n; j += tile<T>) mix_lines<tile_lines>(first + k, j);
    for (; j + tile<T> / tile_lines <= n; j += tile<T> / tile_lines) mix_lines<1>(first + k, j);
    for (; j < n; ++j) mix_column(first + k, j);
  }

  void multiply() const {
    const int64_t W = plan.nodes();
    gemm(false, false, W, n, W, T{1}, plan.matrix() + first / W * plan.matrix_stride(), W, held, plan.strip(), T{0},
         w.row(first) + j0, w.stride());
    if (form != MixForm::consensus) return;
    for (int64_t r = first; r < first + W; ++r) {
      const T step = rate(r);
      for (int64_t j = j0; j < j0 + n; ++j) w(r, j) -= step * g(r, j);
    }
  }
};

}  // namespace

// Whole tiles: at least one, so that a row's piece is worth its way through memory; a GEMM wants a few more.
template <class T, Backend B>
int64_t mix_strip_impl(int64_t nodes, bool dense) {
  constexpr int64_t most = 16;  // tiles
  const int64_t fit = strip_bytes / (nodes * tile_lines * line);
  return std::clamp<int64_t>(fit, dense ? 4 : 1, most) * tile<T>;
}

template <class T, Backend B>
int64_t mix_held_impl(int64_t, int64_t) {
  return 0;  // every thread holds a strip of its own
}

template <class T, Backend B>
void mix_step_impl(const Context&, const MixPlan<T>& plan, MixForm form, VectorView<const double> eta,
                   MatrixView<const T> g, MatrixView<T> w) {
  constexpr int64_t worth_threads = 1 << 15;  // elements
  const int64_t columns = w.extent(1), width = plan.strip(), strips = (columns + width - 1) / width,
                all = plan.replicas() * strips, W = plan.nodes();
  const auto strip = [&](int64_t s, std::vector<T>& held) {
    const int64_t j0 = s % strips * width;
    return Strip<T>{plan, form, eta, g, w, s / strips * W, j0, std::min(width, columns - j0), held.data()};
  };
  // every thread goes through its strips in order and holds the rows of the next while it mixes those of one
  const int64_t pieces = w.size() >= worth_threads ? std::min<int64_t>(all, threads()) : 1;
#pragma omp parallel for schedule(static) if (pieces > 1)
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t begin = all * piece / pieces, end = all * (piece + 1) / pieces;
    std::vector<T> held(static_cast<size_t>(W * width)), after(plan.dense() ? 0 : held.size());
    for (int64_t s = begin; s < end; ++s) {
      const Strip<T> now = strip(s, held);
      if (s == begin || plan.dense())
        for (int64_t k = 0; k < W; ++k) now.hold(k);
      if (plan.dense()) {
        now.multiply();
        continue;
      }
      if (s + 1 == end) {
        for (int64_t k = 0; k < W; ++k) now.mix(k);
        continue;
      }
      const Strip<T> next = strip(s + 1, after);
      for (int64_t k = 0; k < W; ++k) {
        now.mix(k);
        next.hold(k);
      }
      held.swap(after);
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                        \
  template int64_t mix_strip_impl<T, Backend::cpu>(int64_t, bool);                                                   \
  template int64_t mix_held_impl<T, Backend::cpu>(int64_t, int64_t);                                                 \
  template void mix_step_impl<T, Backend::cpu>(const Context&, const MixPlan<T>&, MixForm, VectorView<const double>, \
                                               MatrixView<const T>, MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
