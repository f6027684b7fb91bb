// Workers with drawn batches of images, everything on the device: what most kernels of the local step work on.
#pragma once

#include "bench/harness.hpp"
#include "kernels/softmax_steps.hpp"

namespace orrery::bench {

// W workers on a random set of n images of d bytes in C classes, everything on the device.
struct Fixture {
  const Context& ctx = context();
  static constexpr int64_t d = 784;
  static constexpr int classes = 10;
  int64_t workers, batch, n = sized(20000, 256);
  Buffer<uint8_t> images;
  Buffer<int32_t> labels, worker, batches, order, y;
  Buffer<uint64_t> seed;
  Buffer<double> rate, learning_rate, distances;
  Buffer<int64_t> begin, size, clock, steps;
  Buffer<float> w, g, v, x, logits;  // v: made when first asked for
  Rows rows;
  SoftmaxView model;
  SoftmaxWorkspace<float> space;

  Fixture(int64_t W, int64_t B) : workers(W), batch(B) {
    const auto fill = [](int64_t count, auto value) {
      std::vector<decltype(value(int64_t{0}))> v(static_cast<size_t>(count));
      for (size_t i = 0; i < v.size(); ++i) v[i] = value(static_cast<int64_t>(i));
      return v;
    };
    const Stream random(1, Draw::initial, 0, 0);
    images = Buffer<uint8_t>(
        ctx, fill(n * d, [&](int64_t i) { return static_cast<uint8_t>(random.bits(static_cast<uint32_t>(i))); }));
    labels = Buffer<int32_t>(ctx, fill(n, [&](int64_t i) { return static_cast<int32_t>(i % classes); }));
    order = Buffer<int32_t>(ctx, fill(n, [](int64_t i) { return static_cast<int32_t>(i); }));
    worker = Buffer<int32_t>(ctx, fill(W, [](int64_t i) { return static_cast<int32_t>(i); }));
    batches = Buffer<int32_t>(ctx, fill(W, [&](int64_t) { return static_cast<int32_t>(B); }));
    seed = Buffer<uint64_t>(ctx, fill(W, [](int64_t) { return uint64_t{42}; }));
    rate = Buffer<double>(ctx, fill(W, [](int64_t) { return 1.0; }));
    learning_rate = Buffer<double>(ctx, fill(W, [](int64_t) { return 1e-3; }));
    begin = Buffer<int64_t>(ctx, fill(W, [&](int64_t i) { return i * (n / W); }));
    size = Buffer<int64_t>(ctx, fill(W, [&](int64_t) { return n / W; }));
    clock = Buffer<int64_t>(ctx, 1);
    distances = Buffer<double>(ctx, W);
    steps = Buffer<int64_t>(ctx, W);
    model = {{images.view(n, d), {}, labels.view(), 1.0 / 255, 0}, classes, 0.0};
    rows = {W,
            seed.view(),
            worker.view(),
            learning_rate.view(),
            rate.view(),
            batches.view(),
            begin.view(),
            size.view(),
            order.view(),
            B};
    w = Buffer<float>(ctx, fill(W * parameters(), [&](int64_t i) {
                        return 0.01f * static_cast<float>(random.bits(static_cast<uint32_t>(i)) % 17);
                      }));
    g = Buffer<float>(ctx, W * parameters());
    x = Buffer<float>(ctx, W * B * d);
    y = Buffer<int32_t>(ctx, W * B);
    logits = Buffer<float>(ctx, W * B * classes);
    space = SoftmaxWorkspace<float>(ctx, model, W, B, int64_t{1} << 30);
  }
  static constexpr int64_t parameters() { return classes * d + classes; }
  VectorView<double> rate_out() const { return distances.view(); }
  Momentum<float> momentum() {
    if (v.size() == 0) v = Buffer<float>(ctx, workers * parameters());
    return {0.9, v.view(workers, parameters())};
  }
  MatrixView<float> bank() const { return w.view(workers, parameters()); }
  Slot slot() const { return {clock.data(), 0}; }
};

}  // namespace orrery::bench
