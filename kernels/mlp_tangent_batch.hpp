// An MlpBatch (kernels/mlp_batch.hpp) that also carries the derivatives of its activations and deltas along a direction v in the parameters:
// the formulas are those of kernels/mlp_hessian.hpp.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/mlp_batch.hpp"
#include "kernels/tangents.hpp"

namespace orrery::detail {

template <class T>
class MlpTangentBatch : public MlpBatch<T> {
 public:
  explicit MlpTangentBatch(const MlpView&, int64_t samples = MlpBatch<T>::most);
  // Logits at w and their derivatives along v, both without the last bias.
  void forward(const T* w, const T* v);
  // out <- out + coefficient * sum over the samples of their Hessians at w, times v
  void backward(const T* w, const T* v, T* out, T coefficient);

 private:
  using Base = MlpBatch<T>;
  using Base::delta_, Base::e_, Base::inputs, Base::logits_, Base::model_, Base::tiles_, Base::z_;
  using typename Base::Inputs;
  using typename Base::Tile;
  Inputs& tangents(int l) { return dh_[static_cast<size_t>(l - 1)]; }  // l > 0: samples do not depend on w

  void backward_tile(int l, const Tile&, const T* weights, const T* along, const T* delta, const T* ddelta, T* below,
                     T* dbelow);

  std::vector<Inputs> dh_;
  std::vector<T> dlogits_, de_, along_, ddelta_[2];
};

template <class T>
MlpTangentBatch<T>::MlpTangentBatch(const MlpView& m, int64_t samples) : Base(m, samples) {
  for (int l = 1; l < m.layers(); ++l) dh_.emplace_back(m.in(l), std::min(samples, Base::most));
  dlogits_.resize(logits_.size());
  de_.resize(e_.size());
  along_.resize(e_.size());
  for (auto& d : ddelta_) d.resize(delta_[0].size());
}

template <class T>
void MlpTangentBatch<T>::forward(const T* w, const T* v) {
  Base::forward(w);
  for (int l = 0; l < model_.layers(); ++l) {
    const int64_t n = model_.out(l);
    const bool last = l + 1 == model_.layers();
    for (size_t t = 0; t < tiles_.size(); ++t) {
      const Tile& tile = tiles_[t];
      // z' = b' + h W' + h' W
      T* dz = last ? dlogits_.data() + tile.first * n : z_.data();
      for (int64_t b = 0; b < tile.size; ++b)
        if (last)
          std::fill_n(dz + b * n, n, T{0});
        else
          std::copy_n(v + model_.bias(l), n, dz + b * n);
      Inputs& h = inputs(l);
      dense_forward(tile.size, h.at(tile), h.units(t), h.unit_count(t), v + model_.weights(l), n, dz);
      if (l > 0) {
        Inputs& dh = tangents(l);
        dense_forward(tile.size, dh.at(tile), dh.units(t), dh.unit_count(t), w + model_.weights(l), n, dz);
      }
      if (last) continue;
      const T* above = inputs(l + 1).at(tile);
      T* dabove = tangents(l + 1).at(tile);
      for (int64_t b = 0; b < tile.size; ++b)
        for (int64_t j = 0; j < n; ++j) {
          const int64_t at = j * tile.size + b;
          dabove[at] = activation_slope(model_.activation, above[at]) * dz[b * n + j];
        }
      tangents(l + 1).list_units(t, tile);
    }
  }
}

template <class T>
void MlpTangentBatch<T>::backward(const T* w, const T* v, T* out, T coefficient) {
  const int last = model_.layers() - 1;
  const int64_t classes = model_.classes();
  T *delta = logits_.data(), *ddelta = dlogits_.data();
  for (const Tile& tile : tiles_)
    for (int64_t k = tile.first; k < tile.first + tile.size; ++k)
      softmax_delta_tangent(delta + k * classes, ddelta + k * classes, w + model_.bias(last), v + model_.bias(last),
                            static_cast<int>(classes), this->label(k), coefficient);
  for (int l = last; l >= 0; --l) {
    const int64_t k = model_.in(l), n = model_.out(l);
    T *below = delta_[l % 2].data(), *dbelow = ddelta_[l % 2].data();
    T *weights = out + model_.weights(l), *bias = out + model_.bias(l);
    for (size_t t = 0; t < tiles_.size(); ++t) {
      const Tile& tile = tiles_[t];
      const T *d = delta + tile.first * n, *dd = ddelta + tile.first * n;
      if (l > 0)
        backward_tile(l, tile, w + model_.weights(l), v + model_.weights(l), d, dd, below + tile.first * k,
                      dbelow + tile.first * k);
      Inputs& h = inputs(l);
      dense_update(tile.size, h.at(tile), h.units(t), h.unit_count(t), dd, n, weights);
      if (l > 0) {
        Inputs& dh = tangents(l);
        dense_update(tile.size, dh.at(tile), dh.units(t), dh.unit_count(t), d, n, weights);
      }
      for (int64_t b = 0; b < tile.size; ++b)
        for (int64_t j = 0; j < n; ++j) bias[j] += dd[b * n + j];
    }
    delta = below, ddelta = dbelow;
  }
}

// The deltas of the layer below, and their derivatives, for one tile.
template <class T>
void MlpTangentBatch<T>::backward_tile(int l, const Tile& tile, const T* weights, const T* along, const T* delta,
                                       const T* ddelta, T* below, T* dbelow) {
  const int64_t k = model_.in(l), n = model_.out(l);
  dense_backward(tile.size, delta, weights, k, n, e_.data());
  dense_backward(tile.size, ddelta, weights, k, n, de_.data());
  dense_backward(tile.size, delta, along, k, n, along_.data());
  const T *h = inputs(l).at(tile), *dh = tangents(l).at(tile), *e = e_.data(), *de = de_.data(), *ea = along_.data();
  for (int64_t b = 0; b < tile.size; ++b)
    for (int64_t i = 0; i < k; ++i) {
      const int64_t at = i * tile.size + b;
      const T slope = activation_slope(model_.activation, h[at]);
      below[b * k + i] = e[at] * slope;
      dbelow[b * k + i] = (de[at] + ea[at]) * slope + e[at] * slope_tangent(model_.activation, h[at], dh[at]);
    }
}

}  // namespace orrery::detail
