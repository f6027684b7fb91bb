#include <algorithm>
#include <numeric>

#include "kernels/batched_gemm.hpp"
#include "kernels/mlp_shared_pass.cuh"
#include "kernels/mlp_signs.hpp"
#include "kernels/row_segments.hpp"
#include "kernels/sign_pack.hpp"
#include "kernels/signs.cuh"

namespace orrery::detail {
namespace {

constexpr int64_t most_direct = 256;  // samples of a row whose sums are formed in registers; larger ones are products

template <class T>
struct Layer {  // as the kernels below see it
  const T *h, *delta;
  int64_t in, out, weights, bias;
};
template <class T>
struct Signing {  // what they share
  Slot slot;
  const T* w;
  T l2;
  int64_t parameters;
  SumsOut<T> out;
};

// Words that lie inside W_l: `count` from word `first` on. Word k + period speaks of the outputs of word k, `step` inputs later:
// period = n / gcd(n, 32), step = 32 / gcd(n, 32) with n outputs.
struct WordGrid {
  int64_t first, count, period, step;
  int64_t residue_groups, repeat_groups;
};

constexpr int warps = 8, residues = 2, repeats = 8;  // a warp forms residues * repeats words at a time
constexpr int64_t block_residues = warps * residues, window = block_residues * bits_of_word;
constexpr int64_t most_inputs = 33 + (repeats - 1) * 32;  // that the words of a block speak of
constexpr int64_t groups_per_block = 4;                   // of repeats, one after the other

// 16 bytes at once from shared memory
template <class T>
struct alignas(16) Few {
  static constexpr int count = 16 / sizeof(T);
  T v[16 / sizeof(T)];
};
// Samples in shared memory at a time, and the distance of two columns: 48 bytes, so that 16-byte reads of neighbours meet no bank twice.
template <class T>
constexpr int64_t staged = 32 / sizeof(T);
template <class T>
constexpr int64_t pitch = 48 / sizeof(T);

// Grid: x = groups of residues times groups of repeats, y = segments (strided). A lane keeps one output per residue and adds up `repeats`
// inputs; deltas and inputs of a few samples at a time lie in shared memory, sample by sample for each column.
template <class T>
__global__ void __launch_bounds__(warps * 32)
    signs_kernel(Segments all, Signing<T> what, Layer<T> layer, WordGrid grid) {
  ORRERY_SHARED(T, delta, window * (48 / sizeof(T)));
  ORRERY_SHARED(T, h, most_inputs * (48 / sizeof(T)));
  const int64_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, n = layer.out;
  const Step t = what.slot.at();

  // the block's words of the first period, and where its inputs and outputs begin
  const int64_t residue0 = blockIdx.x % grid.residue_groups * block_residues;
  const int64_t group0 = blockIdx.x / grid.residue_groups * groups_per_block;
  const int64_t group1 =
      group0 + groups_per_block < grid.repeat_groups ? group0 + groups_per_block : grid.repeat_groups;
  const int64_t start = (grid.first + residue0) * bits_of_word - layer.weights;
  const int64_t input0 = start / n, output0 = n <= window ? 0 : start % n;
  const int64_t outputs = n <= window ? n : window;
  const int64_t left = grid.period - residue0, used = left < block_residues ? left : block_residues;
  const int64_t inputs = (start + used * bits_of_word - 1) / n - input0 + 1 + (repeats - 1) * grid.step;

  // this lane's columns
  int64_t to_delta[residues], to_h[residues];
  bool valid[residues];
  for (int a = 0; a < residues; ++a) {
    const int64_t c = warp * residues + a, at = start + c * bits_of_word + lane;
    valid[a] = c < used;
    to_delta[a] = (n <= window ? at % n : c * bits_of_word + lane) * pitch<T>;
    to_h[a] = (at / n - input0) * pitch<T>;
  }

  for (int64_t m = blockIdx.y; m < all.count; m += gridDim.y) {
    const int64_t r = all.row[m], place0 = all.begin[m], count = all.begin[m + 1] - place0;
    const bool active = all.rows.active(r, t);
    const Stream coins = sign_coins(all.rows.seed[r], all.rows.worker[r], t.key());
    for (int64_t group = group0; group < group1; ++group) {
      const int64_t repeat0 = group * repeats, input1 = input0 + repeat0 * grid.step;
      T sum[residues][repeats] = {};
      for (int64_t done = 0; active && done < count; done += staged<T>) {
        __syncthreads();  // what was there has been read
        if (group == group0 || count > staged<T>)
          for (int64_t i = threadIdx.x; i < outputs * staged<T>; i += blockDim.x) {
            const int64_t s = i / outputs, u = i % outputs;
            delta[u * pitch<T> + s] =
                done + s < count ? layer.delta[(place0 + done + s) * n + (output0 + u) % n] : T{0};
          }
        for (int64_t i = threadIdx.x; i < inputs * staged<T>; i += blockDim.x) {
          const int64_t s = i / inputs, u = i % inputs;
          h[u * pitch<T> + s] =
              done + s < count && input1 + u < layer.in ? layer.h[(place0 + done + s) * layer.in + input1 + u] : T{0};
        }
        __syncthreads();
#pragma unroll
        for (int a = 0; a < residues; ++a) {
          if (!valid[a]) continue;
#pragma unroll
          for (int s = 0; s < staged<T>; s += Few<T>::count) {
            const Few<T> d = *reinterpret_cast<const Few<T>*>(&delta[to_delta[a] + s]);
#pragma unroll
            for (int q = 0; q < repeats; ++q) {
              const Few<T> x = *reinterpret_cast<const Few<T>*>(&h[to_h[a] + q * grid.step * pitch<T> + s]);
#pragma unroll
              for (int v = 0; v < Few<T>::count; ++v) sum[a][q] += x.v[v] * d.v[v];
            }
          }
        }
      }
      // each word is kept by the lane of its number
#pragma unroll
      for (int a = 0; a < residues; ++a) {
        const int64_t k0 = grid.first + residue0 + warp * residues + a + repeat0 * grid.period;
        const int64_t end = grid.first + grid.count;
        SignWord mine{0, 0};
#pragma unroll
        for (int q = 0; q < repeats; ++q) {
          const int64_t k = k0 + q * grid.period;
          if (!valid[a] || k >= end) continue;  // the whole warp
          const T g = active && what.l2 != T{0} ? sum[a][q] + what.l2 * what.w[k * bits_of_word + lane] : sum[a][q];
          if (!what.out.packs()) {
            what.out.stored(r, k * bits_of_word + lane) = g;
            continue;
          }
          const SignWord word = ballot_signs(g, true);
          if (lane == q) mine = word;
        }
        const int64_t k = k0 + lane * grid.period;
        if (what.out.packs() && valid[a] && lane < repeats && k < end)
          store(what.out.signs, r, k, settle(mine, what.out.rule, coins, k));
      }
    }
  }
}

// The other words: biases, and words that lie across tensors. Grid: x = groups of 8 words, a warp each; y = segments (strided).
template <class T>
__global__ void edge_signs_kernel(Segments all, Signing<T> what, const Layer<T>* layers, int layer_count,
                                  const int64_t* words, int64_t word_count) {
  const int64_t e = int64_t{blockIdx.x} * warps + threadIdx.x / 32;
  if (e >= word_count) return;  // the whole warp
  const int64_t k = words[e], j = k * bits_of_word + threadIdx.x % 32;
  const bool inside = j < what.parameters;
  const Step t = what.slot.at();
  int l = 0;
  while (l + 1 < layer_count && j >= layers[l + 1].weights) ++l;
  const Layer<T> layer = layers[l];
  const bool bias = j >= layer.bias;
  const int64_t in = bias ? 0 : (j - layer.weights) / layer.out;
  const int64_t out = bias ? j - layer.bias : (j - layer.weights) % layer.out;
  for (int64_t m = blockIdx.y; m < all.count; m += gridDim.y) {
    const int64_t r = all.row[m];
    T sum{0};
    if (inside && all.rows.active(r, t)) {
      for (int64_t p = all.begin[m]; p < all.begin[m + 1]; ++p) {
        const T d = layer.delta[p * layer.out + out];
        sum += bias ? d : layer.h[p * layer.in + in] * d;
      }
      if (!bias && what.l2 != T{0}) sum += what.l2 * what.w[j];
    }
    if (!what.out.packs()) {
      if (inside) what.out.stored(r, j) = sum;
      continue;
    }
    const SignWord word = ballot_signs(sum, inside);
    if (threadIdx.x % 32 == 0)
      store(what.out.signs, r, k,
            settle(word, what.out.rule, sign_coins(all.rows.seed[r], all.rows.worker[r], t.key()), k));
  }
}

// ---- rows of many samples: products into P numbers

// out[j] <- out[j] + sum over places of delta[p,j]. Grid: x = groups of 32 columns; 32 warps take every 32nd place each, their sums are
// added in order.
template <class T>
__global__ void column_sums_kernel(int64_t places, int64_t n, const T* delta, T* out) {
  ORRERY_SHARED(T, of_warp, 32 * 32);
  const int64_t lane = threadIdx.x % 32, warp = threadIdx.x / 32, j = int64_t{blockIdx.x} * 32 + lane;
  T sum{0};
  for (int64_t p = warp; j < n && p < places; p += 32) sum += delta[p * n + j];
  of_warp[warp * 32 + lane] = sum;
  __syncthreads();
  if (warp != 0 || j >= n) return;
  T total = out[j];
  for (int64_t k = 0; k < 32; ++k) total += of_warp[k * 32 + lane];
  out[j] = total;
}

// g <- l2 w, biases 0; or 0 where the row skips the slot (its deltas are 0)
template <class T>
__global__ void start_kernel(Segments all, Signing<T> what, const Layer<T>* layers, int layer_count, T* g) {
  const int64_t j = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (j >= what.parameters) return;
  int l = 0;
  while (l + 1 < layer_count && j >= layers[l + 1].weights) ++l;
  g[j] =
      what.l2 != T{0} && j < layers[l].bias && all.rows.active(all.row[0], what.slot.at()) ? what.l2 * what.w[j] : T{0};
}

template <class T>
struct Signer {
  const Context& ctx;
  const MlpView& model;
  const MlpSignsWorkspace<T>& space;
  Signing<T> what;

  std::vector<Layer<T>> layers() const {
    std::vector<Layer<T>> all;
    for (int l = 0; l < model.layers(); ++l)
      all.push_back({space.inputs(l), space.deltas(l), model.in(l), model.out(l), model.weights(l), model.bias(l)});
    return all;
  }

  WordGrid words_inside(int l) const {
    const int64_t first = sign_words(model.weights(l)), last = model.bias(l) / bits_of_word;
    const int64_t common = std::gcd(model.out(l), bits_of_word);
    WordGrid g{first, std::max<int64_t>(0, last - first), model.out(l) / common, bits_of_word / common, 0, 0};
    g.residue_groups = (std::min(g.period, g.count) + block_residues - 1) / block_residues;
    g.repeat_groups = ((g.count + g.period - 1) / g.period + repeats - 1) / repeats;
    return g;
  }
  std::vector<int64_t> edge_words() const {
    std::vector<int64_t> words;
    int64_t k = 0;
    for (int l = 0; l < model.layers(); ++l) {
      const WordGrid g = words_inside(l);
      if (g.count == 0) continue;
      for (; k < g.first; ++k) words.push_back(k);
      k = g.first + g.count;
    }
    for (; k < sign_words(what.parameters); ++k) words.push_back(k);
    return words;
  }
  void sign(const Segments& all, const Buffer<Layer<T>>& table, const Buffer<int64_t>& edge) const {
    const auto y = static_cast<unsigned>(std::min<int64_t>(all.count, 65535));
    const auto layer = layers();
    for (int l = 0; l < model.layers(); ++l) {
      const WordGrid g = words_inside(l);
      if (g.count == 0) continue;
      const int64_t x = g.residue_groups * ((g.repeat_groups + groups_per_block - 1) / groups_per_block);
      launch(signs_kernel<T>, dim3(static_cast<unsigned>(x), y), dim3(warps * 32), 0, ctx.stream(), all, what,
             layer[static_cast<size_t>(l)], g);
    }
    launch(edge_signs_kernel<T>, dim3(blocks_for(edge.size(), warps), y), dim3(warps * 32), 0, ctx.stream(), all, what,
           table.data(), model.layers(), edge.data(), edge.size());
  }

  // A row of many samples: the weight gradients are products.
  void start(const Segments& row, const Buffer<Layer<T>>& table, T* g) const {
    launch(start_kernel<T>, dim3(blocks_for(model.parameters(), 256)), dim3(256), 0, ctx.stream(), row, what,
           table.data(), model.layers(), g);
  }
  void add(int64_t places, T* g) const {
    for (int l = 0; l < model.layers(); ++l) {
      const int64_t k = model.in(l), n = model.out(l);
      batched_gemm<T>(ctx, k, n, places, T{1}, {space.inputs(l), k, 0, true}, {space.deltas(l), n, 0}, T{1},
                      {g + model.weights(l), n, 0}, 1);
      launch(column_sums_kernel<T>, dim3(blocks_for(n, 32)), dim3(1024), 0, ctx.stream(), places, n, space.deltas(l),
             g + model.bias(l));
    }
  }
};

}  // namespace

template <class T, Backend B>
void mlp_signs_impl(const Context& ctx, const MlpView& model, const Rows& rows, std::span<const int64_t> batches,
                    Slot slot, MatrixView<const T> w, const SumsOut<T>& out, MlpSignsWorkspace<T>& space) {
  const SharedPass<T> pass{ctx, model, slot, w.data(), space};
  const Signer<T> signer{ctx, model, space, {slot, w.data(), static_cast<T>(model.l2), model.parameters(), out}};
  // small rows share chunks, large ones come alone
  std::vector<int64_t> small, small_batches, large;
  for (int64_t r = 0; r < rows.count; ++r) {
    const int64_t size = batches[static_cast<size_t>(r)];
    const bool direct = size <= std::min(most_direct, space.places());
    (direct ? small : large).push_back(r);
    if (direct) small_batches.push_back(size);
  }
  const Buffer<Layer<T>> table(ctx, signer.layers());
  const Buffer<int64_t> edge(ctx, signer.edge_words());

  const Buffer<int64_t> row(ctx, small);
  for (const SegmentChunk& c : cut_into_chunks(small_batches, space.places())) {
    const Buffer<int64_t> begin(ctx, c.begin);
    const Segments all{rows, row.data() + c.first, begin.data(), c.count, 0};
    if (c.places() > 0) pass.run(all, c.places());
    signer.sign(all, table, edge);
  }
  for (const int64_t r : large) {
    const Buffer<int64_t> one(ctx, std::vector<int64_t>{r});
    T* const g = out.packs() ? space.gradient() : out.stored.row(r);
    const int64_t size[] = {batches[static_cast<size_t>(r)]};
    for (const SegmentChunk& c : cut_into_chunks(size, space.places())) {
      const Buffer<int64_t> begin(ctx, c.begin);
      const Segments all{rows, one.data(), begin.data(), 1, c.first_sample};
      if (c.first_piece()) signer.start(all, table, g);
      pass.run(all, c.places());
      signer.add(c.places(), g);
    }
    if (!out.packs()) continue;
    SignsOut one_row = out.signs;
    one_row.positive = one_row.positive.rows(r, 1);
    if (one_row.has_zeros()) one_row.zero = one_row.zero.rows(r, 1);
    sign_pack<T>(ctx, rows.part(r, 1), slot, out.rule, {g, 1, model.parameters(), ctx.backend}, one_row);
  }
}

#define ORRERY_INSTANTIATE(T)                                                                         \
  template void mlp_signs_impl<T, Backend::cuda>(const Context&, const MlpView&, const Rows&,         \
                                                 std::span<const int64_t>, Slot, MatrixView<const T>, \
                                                 const SumsOut<T>&, MlpSignsWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
