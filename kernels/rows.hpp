// What a kernel must know of each row to take a local step. Row r is one worker of one replica of one arm; nothing here joins two rows.
#pragma once

#include "kernels/core/rng.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

// A training or test set where the kernels read it: bytes or floats (n,d), labels (n); x = scale * stored + shift.
struct SampleView {
  MatrixView<const uint8_t> bytes;
  MatrixView<const float> values;  // used where bytes is empty
  VectorView<const int32_t> labels;
  double scale = 1, shift = 0;

  ORRERY_HD int64_t count() const { return labels.size(); }
  ORRERY_HD int64_t features() const { return bytes.size() > 0 ? bytes.extent(1) : values.extent(1); }
};

// One feature in T: the same operations on both backends.
template <class T>
ORRERY_HD inline T feature(const SampleView& s, int64_t sample, int64_t j) {
  const T stored = s.bytes.size() > 0 ? static_cast<T>(s.bytes(sample, j)) : static_cast<T>(s.values(sample, j));
  return static_cast<T>(s.scale) * stored + static_cast<T>(s.shift);
}

// The local step (time slot) that a kernel works on: *base lies on the backend's side, so that a recorded CUDA graph can be replayed
// for another stretch of steps by changing one number in device memory.
struct Slot {
  const int64_t* base = nullptr;
  int64_t offset = 0;
  ORRERY_HD int64_t at() const { return *base + offset; }
  Slot plus(int64_t n) const { return {base, offset + n}; }
};

struct Rows {
  int64_t count = 0;
  VectorView<const uint64_t> seed;         // (rows) seed of the row's replica
  VectorView<const int32_t> worker;        // (rows) index of the worker inside its replica
  VectorView<const double> learning_rate;  // (rows)
  VectorView<const double> rate;           // (rows) probability of a step in a slot
  VectorView<const int32_t> batch;  // (rows) samples per step; 0: all samples of the worker (exact local gradient)
  VectorView<const int64_t> begin, size;  // (rows) the worker's samples are order[begin] ... order[begin + size - 1]
  VectorView<const int32_t> order;
  int64_t max_batch = 0;  // largest number of samples that any row takes in a step (host value)

  // θ of slot t: does this row take a step?
  ORRERY_HD bool active(int64_t r, int64_t t) const {
    if (rate[r] >= 1) return true;
    return Stream(seed[r], Draw::rate, static_cast<uint32_t>(worker[r]), static_cast<uint64_t>(t))
        .bernoulli(0, rate[r]);
  }
  ORRERY_HD int64_t batch_size(int64_t r) const { return batch[r] > 0 ? batch[r] : size[r]; }
  // sample k of the row's batch in slot t: uniform with replacement, or the k-th of all
  ORRERY_HD int64_t sample(int64_t r, int64_t t, int64_t k) const {
    const int64_t i = batch[r] > 0
                          ? Stream(seed[r], Draw::minibatch, static_cast<uint32_t>(worker[r]), static_cast<uint64_t>(t))
                                .below(static_cast<uint32_t>(k), static_cast<uint32_t>(size[r]))
                          : k;
    return order[begin[r] + i];
  }

  Rows part(int64_t first, int64_t n) const {
    Rows p = *this;
    p.count = n;
    p.seed = seed.part(first, n);
    p.worker = worker.part(first, n);
    p.learning_rate = learning_rate.part(first, n);
    p.rate = rate.part(first, n);
    p.batch = batch.part(first, n);
    if (begin.size() > 0) p.begin = begin.part(first, n), p.size = size.part(first, n);
    return p;
  }
};

}  // namespace orrery
