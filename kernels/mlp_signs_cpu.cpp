#include "kernels/mlp_signs.hpp"

#include <omp.h>

#include <algorithm>

#include "kernels/dense_tiles.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/pack_words.hpp"
#include "kernels/row_segments.hpp"
#include "kernels/sign_pack.hpp"
#include "kernels/softmax_loss.hpp"

namespace orrery::detail {
namespace {

constexpr int64_t forward_places = 64;  // of one task
// parameters whose sums are formed at a time: they stay in the second-level cache (measured)
constexpr int64_t block_numbers = 16384;

int64_t block_rows(int64_t n) { return std::max<int64_t>(1, block_numbers / n); }

template <class T>
struct Room {  // of one thread
  std::vector<int32_t> used, units;
  std::vector<T> e, sums;

  explicit Room(const MlpView& m) {
    int64_t inputs = 0, block = 0;
    for (int l = 0; l < m.layers(); ++l) {
      inputs = std::max(inputs, m.in(l));
      block = std::max(block, block_rows(m.out(l)) * m.out(l));
    }
    used.resize(static_cast<size_t>(inputs));
    units.resize(static_cast<size_t>(inputs));
    e.resize(static_cast<size_t>(largest_tile * inputs));
    sums.resize(static_cast<size_t>(block + bits_of_word));
  }
  // Which of k inputs are not 0 in all `samples`; their number.
  int64_t list_units(const T* x, int64_t ld, int64_t samples, int64_t k) {
    std::fill_n(used.data(), k, 0);
    for (int64_t b = 0; b < samples; ++b)
      for (int64_t i = 0; i < k; ++i) used[static_cast<size_t>(i)] |= x[b * ld + i] != T{0};
    int64_t n = 0;
    for (int64_t i = 0; i < k; ++i) {
      units[static_cast<size_t>(n)] = static_cast<int32_t>(i);
      n += used[static_cast<size_t>(i)];
    }
    return n;
  }
};

struct Tile {
  int64_t segment, place, size;
};
struct Task {  // words of one row
  int64_t segment, first, last;
};

template <class T>
struct Pass {  // of one chunk
  const MlpView& model;
  const Rows& rows;
  Step t;
  const T* w;
  const SumsOut<T>& out;
  const MlpSignsWorkspace<T>& space;
  const std::vector<uint8_t>& active;
  const SegmentChunk& chunk;

  int64_t row(int64_t segment) const { return chunk.first + segment; }
  int64_t size(int64_t segment) const {
    return chunk.begin[static_cast<size_t>(segment) + 1] - chunk.begin[static_cast<size_t>(segment)];
  }
  T* earlier(int64_t r) const {
    return out.packs() ? space.gradient() : out.stored.row(r);
  }  // sums of a row's earlier pieces
  T* inputs(int l, int64_t place) const { return space.inputs(l) + place * model.in(l); }
  T* deltas(int l, int64_t place) const { return space.deltas(l) + place * model.out(l); }

  // A row's samples in tiles of 8, then of 4, 2 and 1, as mlp_gradients cuts them: the backward product adds in an order of its own for each.
  std::vector<Tile> tiles() const {
    std::vector<Tile> all;
    for (int64_t s = 0; s < chunk.count; ++s)
      for (int64_t at = chunk.begin[static_cast<size_t>(s)], end = at + size(s); at < end; at += all.back().size)
        all.push_back({s, at, tile_size(end - at)});
    return all;
  }
  // About a million multiply-adds each.
  std::vector<Task> tasks() const {
    std::vector<Task> all;
    const int64_t words = sign_words(model.parameters());
    for (int64_t s = 0; s < chunk.count; ++s) {
      const int64_t many =
          std::max<int64_t>(block_numbers / bits_of_word, (1 << 20) / bits_of_word / std::max<int64_t>(1, size(s)));
      for (int64_t k = 0; k < words; k += many) all.push_back({s, k, std::min(k + many, words)});
    }
    return all;
  }

  // Gathers up to 64 samples and takes them to their logits (without the last bias), tiles of different rows together.
  void forward(Room<T>& room, int64_t first, int64_t last) const {
    auto s = std::upper_bound(chunk.begin.begin(), chunk.begin.end(), first) - chunk.begin.begin() - 1;
    for (int64_t p = first; p < last; ++p) {
      while (p >= chunk.begin[static_cast<size_t>(s) + 1]) ++s;
      const int64_t k = chunk.first_sample + p - chunk.begin[static_cast<size_t>(s)];
      const int64_t sample = rows.sample(row(s), t, k);
      copy_features(model.samples, sample, inputs(0, p));
      space.labels()[p] = model.samples.labels[sample];
    }
    for (int l = 0; l < model.layers(); ++l) {
      const int64_t k = model.in(l), n = model.out(l);
      const bool logits = l + 1 == model.layers();
      for (int64_t p = first, many; p < last; p += many) {
        many = tile_size(last - p);
        T* z = logits ? deltas(l, p) : inputs(l + 1, p);
        for (int64_t b = 0; b < many; ++b)
          if (logits)
            std::fill_n(z + b * n, n, T{0});
          else
            std::copy_n(w + model.bias(l), n, z + b * n);
        const int64_t count = room.list_units(inputs(l, p), k, many, k);
        places_forward(many, inputs(l, p), k, room.units.data(), count, w + model.weights(l), n, z);
        if (!logits)
          for (int64_t j = 0; j < many * n; ++j) z[j] = activate(model.activation, z[j]);
      }
    }
  }

  // Logits -> the deltas of every layer.
  void backward(Room<T>& room, const Tile& tile) const {
    const int last = model.layers() - 1;
    const T scale = static_cast<T>(coefficient(rows, row(tile.segment), Fold::gradient));
    for (int64_t p = tile.place; p < tile.place + tile.size; ++p)
      softmax_delta(deltas(last, p), w + model.bias(last), model.classes(), space.labels()[p], scale);
    for (int l = last; l > 0; --l) {
      const int64_t k = model.in(l);
      dense_backward(tile.size, deltas(l, tile.place), w + model.weights(l), k, model.out(l), room.e.data());
      const T* h = inputs(l, tile.place);
      T* d = deltas(l - 1, tile.place);
      for (int64_t b = 0; b < tile.size; ++b)
        for (int64_t i = 0; i < k; ++i)
          d[b * k + i] =
              room.e[static_cast<size_t>(i * tile.size + b)] * activation_slope(model.activation, h[b * k + i]);
    }
  }

  // Where the sums of parameters from `at` on begin: earlier pieces of the row, or its penalty; false: nowhere, g may hold anything. What
  // lies outside [from, to) is not asked for.
  bool start(T* g, int64_t r, int64_t at, int64_t count, bool bias, int64_t from, int64_t to) const {
    const T l2 = static_cast<T>(model.l2);
    if (!chunk.first_piece()) {
      std::fill_n(g, count, T{0});
      const int64_t begin = std::max(at, from), end = std::min(at + count, to);
      if (begin < end) std::copy(earlier(r) + begin, earlier(r) + end, g + (begin - at));
      return true;
    }
    if (bias || l2 == T{0}) return false;
    for (int64_t j = 0; j < count; ++j) g[j] = T{0} + l2 * w[at + j];
    return true;
  }
  // g <- [g +] sum over the segment of h^T delta, for inputs i .. i + m - 1 of layer l; of deltas alone for its biases
  void sum(Room<T>& room, int64_t segment, int l, bool bias, int64_t i, int64_t m, bool started, T* g) const {
    const int64_t n = model.out(l), first = chunk.begin[static_cast<size_t>(segment)], end = first + size(segment);
    if (!started && (bias || first == end)) std::fill_n(g, m * n, T{0});
    for (int64_t p = first, many; p < end; p += many) {
      many = tile_size(end - p);
      if (bias) {
        for (int64_t b = 0; b < many; ++b)
          for (int64_t j = 0; j < n; ++j) g[j] += deltas(l, p)[b * n + j];
      } else {
        const T* x = inputs(l, p) + i;
        const bool fresh = p == first && !started;
        const int64_t count = room.list_units(x, model.in(l), many, m);
        for (int64_t k = 0; fresh && k < m; ++k)
          if (!room.used[static_cast<size_t>(k)]) std::fill_n(g + k * n, n, T{0});
        places_update(many, x, model.in(l), room.units.data(), count, deltas(l, p), n, g, fresh);
      }
    }
  }

  // The words of a task: sums block by block, what does not fill a word goes before the next block.
  void pack(Room<T>& room, const Task& task) const {
    const int64_t r = row(task.segment);
    const Stream coins = sign_coins(rows.seed[r], rows.worker[r], t.key());
    const int64_t from = task.first * bits_of_word, to = std::min(task.last * bits_of_word, model.parameters());
    if (!active[static_cast<size_t>(r)]) {
      for (int64_t k = task.first; out.packs() && k < task.last; ++k)
        store(out.signs, r, k, settle({0, bits_in_use(out.signs.coordinates, k)}, out.rule, coins, k));
      if (!out.packs()) std::fill(out.stored.row(r) + from, out.stored.row(r) + to, T{0});
      return;
    }
    T* const g = room.sums.data();
    int64_t begin = 0, end = 0, k = task.first;  // sums g[begin, end) belong to parameters from 32 k on
    const auto part = [&](int l, bool bias) {
      const int64_t at = bias ? model.bias(l) : model.weights(l), n = model.out(l), rows_of = bias ? 1 : model.in(l);
      const int64_t first = from > at ? (from - at) / n : 0;
      const int64_t last = to > at ? std::min(rows_of, (to - at + n - 1) / n) : 0;
      for (int64_t i = first, m; i < last; i += m) {
        m = std::min(block_rows(n), last - i);
        const bool started = start(g + end, r, at + i * n, m * n, bias, from, to);
        sum(room, task.segment, l, bias, i, m, started, g + end);
        if (at + i * n < from) begin = from - at - i * n;
        end += m * n;
        flush(g, begin, end, k, task, coins);
      }
    };
    for (int l = 0; l < model.layers(); ++l) part(l, false), part(l, true);
  }
  void flush(T* g, int64_t& begin, int64_t& end, int64_t& k, const Task& task, const Stream& coins) const {
    const int64_t r = row(task.segment), at = k * bits_of_word;
    const int64_t left = std::min(task.last * bits_of_word, model.parameters()) - at;
    // whole words; at the end of the row all that is left
    const int64_t n = end - begin >= left ? std::max<int64_t>(0, left) : (end - begin) / bits_of_word * bits_of_word;
    if (out.packs() && chunk.last_piece)
      pack_words(g + begin, n, out.rule, coins, k, out.signs.positive.row(r),
                 out.signs.has_zeros() ? out.signs.zero.row(r) : nullptr);
    else
      std::copy_n(g + begin, n, earlier(r) + at);
    k += sign_words(n), begin += sign_words(n) * bits_of_word;
    std::copy(g + std::min(begin, end), g + end, g);
    end = std::max<int64_t>(0, end - begin), begin = 0;
  }
};

}  // namespace

template <class T, Backend B>
void mlp_signs_impl(const Context&, const MlpView& model, const Rows& rows, std::span<const int64_t> batches, Slot slot,
                    MatrixView<const T> w, const SumsOut<T>& out, MlpSignsWorkspace<T>& space) {
  const Step t = slot.at();
  // rows that skip the slot bring no samples
  std::vector<int64_t> taken(batches.begin(), batches.end());
  std::vector<uint8_t> active(taken.size());
  for (int64_t r = 0; r < rows.count; ++r) {
    active[static_cast<size_t>(r)] = rows.active(r, t);
    if (!active[static_cast<size_t>(r)]) taken[static_cast<size_t>(r)] = 0;
  }
  std::vector<Room<T>> rooms(static_cast<size_t>(threads()), Room<T>(model));
  for (const SegmentChunk& chunk : cut_into_chunks(taken, space.places())) {
    const Pass<T> pass{model, rows, t, w.data(), out, space, active, chunk};
    const auto tiles = pass.tiles();
    const auto tasks = pass.tasks();
    const int64_t places = chunk.places(), pieces = (places + forward_places - 1) / forward_places;
#pragma omp parallel num_threads(static_cast <int>(rooms.size()))
    {
      Room<T>& room = rooms[static_cast<size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic)
      for (int64_t i = 0; i < pieces; ++i)
        pass.forward(room, i * forward_places, std::min((i + 1) * forward_places, places));
#pragma omp for schedule(dynamic, 8)
      for (size_t i = 0; i < tiles.size(); ++i) pass.backward(room, tiles[i]);
#pragma omp for schedule(dynamic)
      for (size_t i = 0; i < tasks.size(); ++i) pass.pack(room, tasks[i]);
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                          \
  template void mlp_signs_impl<T, Backend::cpu>(const Context&, const MlpView&, const Rows&, std::span<const int64_t>, \
                                                Slot, MatrixView<const T>, const SumsOut<T>&, MlpSignsWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
