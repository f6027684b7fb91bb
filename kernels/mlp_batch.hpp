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

 private:
  struct Tile {
    int64_t first, size;
  };
  T* activations(int l, const Tile& t) { return h_[static_cast<size_t>(l)].data() + t.first * model_.in(l); }
  void list_units(int l, size_t tile, const T* x, int64_t size);
  int32_t* units(int l, size_t tile) {
    return units_[static_cast<size_t>(l)].data() + static_cast<int64_t>(tile) * model_.in(l);
  }
  int64_t& unit_count(int l, size_t tile) { return unit_count_[static_cast<size_t>(l)][tile]; }

  const MlpView& model_;
  std::vector<Tile> tiles_;
  std::vector<std::vector<T>> h_;            // per layer: its inputs, tile by tile
  std::vector<std::vector<int32_t>> units_;  // per layer and tile: inputs that are not all 0
  std::vector<std::vector<int64_t>> unit_count_;
  std::vector<T> logits_, z_, e_, delta_[2];
  std::vector<int32_t> labels_;
  std::vector<T> row_;  // one sample on its way into a tile
};

template <class T>
MlpBatch<T>::MlpBatch(const MlpView& m, int64_t samples) : model_(m), labels_(static_cast<size_t>(most)) {
  samples = std::min(samples, most);
  const int64_t tiles = samples / largest_tile + 3;
  int64_t widest = m.out(0);
  for (int l = 0; l < m.layers(); ++l) {
    widest = std::max(widest, m.out(l));
    h_.emplace_back(static_cast<size_t>(samples * m.in(l)));
    units_.emplace_back(static_cast<size_t>(tiles * m.in(l)));
    unit_count_.emplace_back(static_cast<size_t>(tiles));
  }
  logits_.resize(static_cast<size_t>(samples * m.classes()));
  z_.resize(static_cast<size_t>(largest_tile * widest));
  e_.resize(z_.size());
  for (auto& d : delta_) d.resize(static_cast<size_t>(samples * widest));
  row_.resize(static_cast<size_t>(m.in(0)));
}

template <class T>
void MlpBatch<T>::list_units(int l, size_t tile, const T* x, int64_t size) {
  int32_t* out = units(l, tile);
  int64_t n = 0;
  for (int64_t i = 0; i < model_.in(l); ++i) {
    bool used = false;
    for (int64_t b = 0; b < size; ++b) used |= x[i * size + b] != T{0};
    out[n] = static_cast<int32_t>(i);
    n += used;
  }
  unit_count(l, tile) = n;
}

template <class T>
template <class F>
void MlpBatch<T>::gather(int64_t count, F sample_of) {
  tiles_.clear();
  for (int64_t first = 0; first < count; first += tiles_.back().size)
    tiles_.push_back({first, tile_size(count - first)});
  for (size_t t = 0; t < tiles_.size(); ++t) {
    const Tile& tile = tiles_[t];
    T* x = activations(0, tile);
    for (int64_t b = 0; b < tile.size; ++b) {
      const int64_t s = sample_of(tile.first + b);
      labels_[static_cast<size_t>(tile.first + b)] = model_.samples.labels[s];
      copy_features(model_.samples, s, row_.data());
      for (int64_t i = 0; i < model_.in(0); ++i) x[i * tile.size + b] = row_[static_cast<size_t>(i)];
    }
    list_units(0, t, x, tile.size);
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
      dense_forward(tile.size, activations(l, tile), units(l, t), unit_count(l, t), weights, n, z);
      if (last) continue;
      T* h = activations(l + 1, tile);
      for (int64_t b = 0; b < tile.size; ++b)
        for (int64_t j = 0; j < n; ++j) h[j * tile.size + b] = activate(model_.activation, z[b * n + j]);
      list_units(l + 1, t, h, tile.size);
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
        const T* h = activations(l, tile);
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
      dense_update(tile.size, activations(l, tile), units(l, t), unit_count(l, t), delta + tile.first * n, n, weights);
      for (int64_t s = tile.first; s < tile.first + tile.size; ++s)
        for (int64_t j = 0; j < n; ++j) bias[j] += delta[s * n + j];
    }
    delta = below;
  }
}

}  // namespace orrery::detail
