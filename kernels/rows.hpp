// What a kernel must know of each row to take a local step. Row r is one worker of one replica of one arm; nothing here joins two rows.
#pragma once

#include "kernels/core/rng.hpp"
#include "kernels/core/shuffle.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

// Sparse rows (compressed): row s holds value[i] at column[i] for i = begin[s] .. begin[s+1]-1, columns ascending.
struct SparseView {
  VectorView<const int64_t> begin;   // (n + 1)
  VectorView<const int32_t> column;  // (non-zeros)
  VectorView<const float> value;     // (non-zeros)
  int64_t columns = 0;
};

// A training or test set where the kernels read it: bytes, floats or sparse rows (n,d), labels (n); x = scale * stored + shift.
// Sparse rows have shift 0, so that what is not stored is 0.
struct SampleView {
  MatrixView<const uint8_t> bytes;
  MatrixView<const float> values;  // used where bytes is empty
  VectorView<const int32_t> labels;
  double scale = 1, shift = 0;
  SparseView rows = {};  // used where it is not empty

  ORRERY_HD bool sparse() const { return rows.begin.size() > 0; }
  ORRERY_HD int64_t count() const { return labels.size(); }
  ORRERY_HD int64_t features() const {
    return sparse() ? rows.columns : bytes.size() > 0 ? bytes.extent(1) : values.extent(1);
  }
};

// One stored value in T: the same operations on both backends.
template <class T>
ORRERY_HD inline T scaled(const SampleView& s, T stored) {
  return static_cast<T>(s.scale) * stored + static_cast<T>(s.shift);
}
// One feature of a dense set.
template <class T>
ORRERY_HD inline T feature(const SampleView& s, int64_t sample, int64_t j) {
  return scaled(s, s.bytes.size() > 0 ? static_cast<T>(s.bytes(sample, j)) : static_cast<T>(s.values(sample, j)));
}

// One gradient step: the repeat-th of a local step (time slot).
struct Step {
  int64_t slot = 0;
  int32_t repeat = 0;
  ORRERY_HD Step(int64_t slot_ = 0, int32_t repeat_ = 0) : slot(slot_), repeat(repeat_) {}
  ORRERY_HD uint64_t key() const {  // of the draws of this step; slots stay below 2^40
    return static_cast<uint64_t>(slot) | static_cast<uint64_t>(repeat) << 40;
  }
};

// The local step (time slot) that a kernel works on: *base lies on the backend's side, so that a recorded CUDA graph can be replayed
// for another stretch of steps by changing one number in device memory.
struct Slot {
  const int64_t* base = nullptr;
  int64_t offset = 0;
  int32_t repeat = 0;
  ORRERY_HD Step at() const { return {*base + offset, repeat}; }
  Slot plus(int64_t n) const { return {base, offset + n, repeat}; }
  Slot repeated(int64_t k) const { return {base, offset, static_cast<int32_t>(k)}; }
};

// Heavy-ball momentum, local to a row:  v <- mu v + g,  w <- w - eta v  in steps that the row takes. Off where velocity is empty.
template <class T>
struct Momentum {
  double mu = 0;
  MatrixView<T> velocity = {};  // (rows, P)
  bool on() const { return velocity.size() > 0; }
  Momentum part(int64_t first, int64_t n) const { return on() ? Momentum{mu, velocity.rows(first, n)} : Momentum{}; }
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

  VectorView<const int32_t> repeats = {};  // (rows) gradient steps per slot; empty: one
  int32_t max_repeats = 1;                 // the largest of them (host value)
  VectorView<const uint8_t> present =
      {};                // (rows) 0: the worker sits this period out (partial participation); empty: all take part
  bool shuffle = false;  // passes over the worker's samples without replacement

  ORRERY_HD int32_t repeats_of(int64_t r) const { return repeats.size() > 0 ? repeats[r] : 1; }
  ORRERY_HD bool takes_part(int64_t r) const { return present.size() == 0 || present[r] != 0; }
  // θ: does this row take this step?
  ORRERY_HD bool active(int64_t r, Step t) const {
    if (!takes_part(r) || t.repeat >= repeats_of(r)) return false;
    if (rate[r] >= 1) return true;
    return Stream(seed[r], Draw::rate, static_cast<uint32_t>(worker[r]), static_cast<uint64_t>(t.slot))
        .bernoulli(0, rate[r]);
  }
  ORRERY_HD int64_t batch_size(int64_t r) const { return batch[r] > 0 ? batch[r] : size[r]; }
  // sample k of the row's batch: uniform with replacement; or, in passes, the next of this pass's random order (a step that is skipped
  // takes its samples with it); or, for whole batches, the k-th of all
  ORRERY_HD int64_t sample(int64_t r, Step t, int64_t k) const {
    if (batch[r] == 0) return order[begin[r] + k];
    const auto who = static_cast<uint32_t>(worker[r]);
    if (shuffle) {
      const int64_t place = (t.slot * repeats_of(r) + t.repeat) * batch[r] + k;
      return order[begin[r] + shuffled(seed[r], who, static_cast<uint64_t>(place / size[r]),
                                       static_cast<uint32_t>(place % size[r]), static_cast<uint32_t>(size[r]))];
    }
    return order[begin[r] + Stream(seed[r], Draw::minibatch, who, t.key())
                                .below(static_cast<uint32_t>(k), static_cast<uint32_t>(size[r]))];
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
    if (repeats.size() > 0) p.repeats = repeats.part(first, n);
    if (present.size() > 0) p.present = present.part(first, n);
    return p;
  }
};

}  // namespace orrery
