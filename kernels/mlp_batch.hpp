// The samples that one thread of the CPU carries through an MLP: inputs, activations and deltas of up to 64 samples of one worker, cut
// into tiles of 8, 4, 2 or 1 (kernels/dense_tiles.hpp). Inside a tile of b samples, activation i of sample s lies at i * b + s.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/dense_tiles.hpp"
#include "kernels/minibatch_inline.hpp"
#include "kernels/mlp_view.hpp"
#include "kernels/softmax_loss.hpp"

namespace orrery::detail {

template <class T>
class MlpBatch {
 public:
  static constexpr int64_t most = 64;

  explicit MlpBatch(const MlpView&, int64_t samples = most);

  // Which samples: sample_of(k) for k = 0 .. count-1, count <= 64.
  template <class F>
  void gather(int64_t count, F sample_of);
  // Logits (without the last bias) at parameters w.
  void forward(const T* w);
  const T* logits(int64_t k) const { return logits_.data() + k * model_.classes(); }
  int32_t label(int64_t k) const { return labels_[static_cast<size_t>(k)]; }
  // Logits -> deltas with that coefficient, then out <- out + sum of gradients, layer by layer from the last. out may be w itself: a layer
  // is used before it is changed; `decay` then shrinks its weights first, W <- W - decay * W.
  void backward(const T* w, T* out, T coefficient, T decay);

 protected:
  struct Tile {
    int64_t first, size;
  };
  // The inputs of a layer, tile by tile, and of each tile those that are not all 0.
  struct Inputs {
    int64_t n;
    std::vector<T> x;
    std::vector<int32_t> unit;
    std::vector<int64_t> count;

    Inputs(int64_t n_, int64_t samples)
        : n(n_),
          x(static_cast<size_t>(samples * n)),
          unit(static_cast<size_t>(tiles_of(samples) * n)),
          count(static_cast<size_t>(tiles_of(samples))) {}
    T* at(const Tile& t) { return x.data() + t.first * n; }
    int32_t* units(size_t tile) { return unit.data() + static_cast<int64_t>(tile) * n; }
    int64_t unit_count(size_t tile) const { return count[tile]; }
    void list_units(size_t tile, const Tile& t);
  };
  static int64_t tiles_of(int64_t samples) { return samples / largest_tile + 3; }
  Inputs& inputs(int l) { return h_[static_cast<size_t>(l)]; }

  const MlpView& model_;
  std::vector<Tile> tiles_;
  std::vector<Inputs> h_;  // per layer
  std::vector<T> logits_, z_, e_, delta_[2];
  std::vector<int32_t> labels_;
  std::vector<T> row_;  // one sample on its way into a tile
};

template <class T>
MlpBatch<T>::MlpBatch(const MlpView& m, int64_t samples) : model_(m), labels_(static_cast<size_t>(most)) {
  samples = std::min(samples, most);
  int64_t widest = m.out(0);
  for (int l = 0; l < m.layers(); ++l) {
    widest = std::max(widest, m.out(l));
    h_.emplace_back(m.in(l), samples);
  }
  logits_.resize(static_cast<size_t>(samples * m.classes()));
  z_.resize(static_cast<size_t>(largest_tile * widest));
  e_.resize(z_.size());
  for (auto& d : delta_) d.resize(static_cast<size_t>(samples * widest));
  row_.resize(static_cast<size_t>(m.in(0)));
}

template <class T>
void MlpBatch<T>::Inputs::list_units(size_t tile, const Tile& t) {
  const T* from = at(t);
  int32_t* out = units(tile);
  int64_t listed = 0;
  for (int64_t i = 0; i < n; ++i) {
    bool used = false;
    for (int64_t b = 0; b < t.size; ++b) used |= from[i * t.size + b] != T{0};
    out[listed] = static_cast<int32_t>(i);
    listed += used;
  }
  count[tile] = listed;
}

template <class T>
template <class F>
void MlpBatch<T>::gather(int64_t count, F sample_of) {
  tiles_.clear();
  for (int64_t first = 0; first < count; first += tiles_.back().size)
    tiles_.push_back({first, tile_size(count - first)});
  for (size_t t = 0; t < tiles_.size(); ++t) {
    const Tile& tile = tiles_[t];
    T* x = inputs(0).at(tile);
    for (int64_t b = 0; b < tile.size; ++b) {
      const int64_t s = sample_of(tile.first + b);
      labels_[static_cast<size_t>(tile.first + b)] = model_.samples.labels[s];
      copy_features(model_.samples, s, row_.data());
      for (int64_t i = 0; i < model_.in(0); ++i) x[i * tile.size + b] = row_[static_cast<size_t>(i)];
    }
    inputs(0).list_units(t, tile);
  }
}

template <class T>
void MlpBatch<T>::forward(const T* w) {
  for (int l = 0; l < model_.layers(); ++l) {
    const int64_t n = model_.out(l);
    const bool last = l + 1 == model_.layers();
    const T *weights = w + model_.weights(l), *bias = w + model_.bias(l);
    for (size_t t = 0; t < tiles_.size(); ++t) {
      const Tile& tile = tiles_[t];
      T* z = last ? logits_.data() + tile.first * n : z_.data();
      for (int64_t b = 0; b < tile.size; ++b)
        if (last)
          std::fill_n(z + b * n, n, T{0});
        else
          std::copy_n(bias, n, z + b * n);
      dense_forward(tile.size, inputs(l).at(tile), inputs(l).units(t), inputs(l).unit_count(t), weights, n, z);
      if (last) continue;
      T* h = inputs(l + 1).at(tile);
      for (int64_t b = 0; b < tile.size; ++b)
        for (int64_t j = 0; j < n; ++j) h[j * tile.size + b] = activate(model_.activation, z[b * n + j]);
      inputs(l + 1).list_units(t, tile);
    }
  }
}

template <class T>
void MlpBatch<T>::backward(const T* w, T* out, T coefficient, T decay) {
  const int last = model_.layers() - 1;
  const int64_t classes = model_.classes();
  T* delta = logits_.data();
  for (const Tile& tile : tiles_)
    for (int64_t k = tile.first; k < tile.first + tile.size; ++k)
      softmax_delta(delta + k * classes, w + model_.bias(last), static_cast<int>(classes), label(k), coefficient);
  for (int l = last; l >= 0; --l) {
    const int64_t k = model_.in(l), n = model_.out(l);
    T* below = delta_[l % 2].data();
    if (l > 0)
      for (const Tile& tile : tiles_) {
        dense_backward(tile.size, delta + tile.first * n, w + model_.weights(l), k, n, e_.data());
        const T* h = inputs(l).at(tile);
        T* d = below + tile.first * k;
        for (int64_t b = 0; b < tile.size; ++b)
          for (int64_t i = 0; i < k; ++i)
            d[b * k + i] =
                e_[static_cast<size_t>(i * tile.size + b)] * activation_slope(model_.activation, h[i * tile.size + b]);
      }
    T *weights = out + model_.weights(l), *bias = out + model_.bias(l);
    if (decay != T{0})
      for (int64_t i = 0; i < k * n; ++i) weights[i] -= decay * weights[i];
    for (size_t t = 0; t < tiles_.size(); ++t) {
      const Tile& tile = tiles_[t];
      dense_update(tile.size, inputs(l).at(tile), inputs(l).units(t), inputs(l).unit_count(t), delta + tile.first * n,
                   n, weights);
      for (int64_t s = tile.first; s < tile.first + tile.size; ++s)
        for (int64_t j = 0; j < n; ++j) bias[j] += delta[s * n + j];
    }
    delta = below;
  }
}

// One room per thread, made before the threads start: no allocation can fail inside.
template <class Batch>
std::vector<Batch> rooms(const MlpView& model, const Rows& rows) {
  std::vector<Batch> all;
  for (int i = 0; i < threads(); ++i) all.emplace_back(model, rows.max_batch);
  return all;
}

// The row's batch of that step in pieces of 64 samples; f() after each is gathered.
template <class Batch, class F>
void for_pieces(Batch& batch, const Rows& rows, int64_t r, Step t, F f) {
  const int64_t size = rows.batch_size(r);
  for (int64_t first = 0; first < size; first += Batch::most) {
    batch.gather(std::min(Batch::most, size - first), [&](int64_t k) { return rows.sample(r, t, first + k); });
    f();
  }
}

template <class T>
void add_scaled(T* to, T factor, const T* from, int64_t n) {
  for (int64_t j = 0; j < n; ++j) to[j] += factor * from[j];
}
template <class T>
void add_decay_of_weights(const MlpView& m, T* to, T factor, const T* w) {
  for (int l = 0; factor != T{0} && l < m.layers(); ++l)
    add_scaled(to + m.weights(l), factor, w + m.weights(l), m.in(l)*m.out(l));
}

}  // namespace orrery::detail
