// A multilayer perceptron as the kernels see it.
//
//   h_0 = x,  h_{l+1} = phi(h_l W_l + b_l)  l = 0 .. L-2,  logits = h_{L-1} W_{L-1} + b_{L-1}      loss: cross-entropy of softmax(logits)
//   parameters of a row   W_0 (n_0,n_1) row-major, b_0 (n_1), W_1, b_1, ...;   n_0 features, n_L classes;   P = sum_l (n_l + 1) n_{l+1}
//
// phi: relu (derivative 0 at 0) or tanh.
#pragma once

#include <vector>

#include "kernels/rows.hpp"

namespace orrery {

enum class Activation { relu, tanh };

struct MlpView {
  SampleView samples;
  std::vector<int64_t> width;  // n_0 .. n_L
  Activation activation = Activation::relu;
  double l2 = 0;  // of the weights, biases left out

  int layers() const { return static_cast<int>(width.size()) - 1; }
  int64_t in(int l) const { return width[static_cast<size_t>(l)]; }
  int64_t out(int l) const { return width[static_cast<size_t>(l) + 1]; }
  int classes() const { return static_cast<int>(width.back()); }
  int64_t weights(int l) const {  // where W_l begins
    int64_t at = 0;
    for (int k = 0; k < l; ++k) at += (in(k) + 1) * out(k);
    return at;
  }
  int64_t bias(int l) const { return weights(l) + in(l)*out(l); }  // where b_l begins
  int64_t parameters() const { return weights(layers()); }
  int64_t units() const {  // activations of one sample, input and logits included
    int64_t n = 0;
    for (int64_t w : width) n += w;
    return n;
  }
};

// phi(z), and phi'(z) from h = phi(z)
template <class T>
ORRERY_HD inline T activate(Activation a, T z) {
  return a == Activation::relu ? (z > T{0} ? z : T{0}) : static_cast<T>(tanh(z));
}
template <class T>
ORRERY_HD inline T activation_slope(Activation a, T h) {
  return a == Activation::relu ? (h > T{0} ? T{1} : T{0}) : T{1} - h * h;
}

}  // namespace orrery
