// Logistic regression: dense at the size of 28x28 images, sparse at the size of text (47236 features, 75 of them in a sample).
#include <fmt/format.h>

#include <memory>

#include "bench/harness.hpp"
#include "kernels/logistic_scores.hpp"
#include "kernels/logistic_steps.hpp"

namespace orrery::bench {
namespace {

// W workers on a random set of n samples, everything on the device.
struct LogisticFixture {
  const Context& ctx = context();
  int64_t workers, d, n = sized(20000, 64), per_sample;  // per_sample: elements that a sample stores
  Buffer<uint8_t> images;
  Buffer<int64_t> row_begin, begin, size, clock;
  Buffer<int32_t> column, labels, worker, batches, order;
  Buffer<float> value, w, g;  // g: made when first asked for
  Buffer<uint64_t> seed;
  Buffer<double> rate, learning_rate;
  Rows rows;
  LogisticView model;
  LogisticWorkspace<float> space;

  LogisticFixture(int64_t W, int64_t B, bool sparse)
      : workers(W), d(sparse ? 47236 : 784), per_sample(sparse ? 75 : 784) {
    const auto fill = [](int64_t count, auto value_of) {
      std::vector<decltype(value_of(int64_t{0}))> v(static_cast<size_t>(count));
      for (size_t i = 0; i < v.size(); ++i) v[i] = value_of(static_cast<int64_t>(i));
      return v;
    };
    const Stream random(1, Draw::initial, 0, 0);
    const auto bits = [&](int64_t i) { return random.bits(static_cast<uint32_t>(i)); };
    if (sparse) {  // one element in each of 75 stretches of the features
      const int64_t stretch = d / per_sample;
      row_begin = Buffer<int64_t>(ctx, fill(n + 1, [&](int64_t i) { return i * per_sample; }));
      column = Buffer<int32_t>(ctx, fill(n * per_sample, [&](int64_t i) {
                                 return static_cast<int32_t>((i % per_sample) * stretch + bits(i) % stretch);
                               }));
      value = Buffer<float>(ctx, fill(n * per_sample, [](int64_t) { return 0.115f; }));
      model.samples.rows = {row_begin.view(), column.view(), value.view(), d};
    } else {
      images = Buffer<uint8_t>(ctx, fill(n * d, [&](int64_t i) { return static_cast<uint8_t>(bits(i)); }));
      model.samples.bytes = images.view(n, d);
      model.samples.scale = 1.0 / 255;
    }
    labels = Buffer<int32_t>(ctx, fill(n, [](int64_t i) { return static_cast<int32_t>(i % 2); }));
    model.samples.labels = labels.view();
    order = Buffer<int32_t>(ctx, fill(n, [](int64_t i) { return static_cast<int32_t>(i); }));
    worker = Buffer<int32_t>(ctx, fill(W, [](int64_t i) { return static_cast<int32_t>(i); }));
    batches = Buffer<int32_t>(ctx, fill(W, [&](int64_t) { return static_cast<int32_t>(B); }));
    seed = Buffer<uint64_t>(ctx, fill(W, [](int64_t) { return uint64_t{42}; }));
    rate = Buffer<double>(ctx, fill(W, [](int64_t) { return 1.0; }));
    learning_rate = Buffer<double>(ctx, fill(W, [](int64_t) { return 1e-3; }));
    begin = Buffer<int64_t>(ctx, fill(W, [&](int64_t i) { return i * (n / W); }));
    size = Buffer<int64_t>(ctx, fill(W, [&](int64_t) { return n / W; }));
    clock = Buffer<int64_t>(ctx, 1);
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
    w = Buffer<float>(ctx, W * model.parameters());
    space = LogisticWorkspace<float>(ctx, W, B, int64_t{1} << 30);
  }
  MatrixView<float> derivative() {
    if (g.size() == 0) g = Buffer<float>(ctx, workers * model.parameters());
    return g.view(workers, model.parameters());
  }
  MatrixView<float> bank() const { return w.view(workers, model.parameters()); }
  Slot slot() const { return {clock.data(), 0}; }
};

}  // namespace

void add_logistic() {
  constexpr int64_t B = 8;
  for (bool sparse : {false, true})
    for (int64_t W : small() ? std::vector<int64_t>{3} : std::vector<int64_t>{16, 256}) {
      const Made<LogisticFixture> f(W, B, sparse);
      const int64_t parameters_of_a_row = sparse ? 47237 : 785;
      const auto place = fmt::format("/{}/W:{}/B:{}/P:{}", sparse ? "sparse" : "dense", W, B, parameters_of_a_row);
      const double samples = static_cast<double>(W * B), e = sparse ? 75 : 784,
                   n = static_cast<double>(sized(20000, 64)), p = static_cast<double>(parameters_of_a_row);
      // an element: a byte; or column and value, and the parameter it belongs to, read and written
      const double features = sparse ? 8 * e : e,
                   parameters = sparse ? 12 * e * samples : 8 * p * static_cast<double>(W);
      add("logistic_steps_10" + place, 10 * samples * features + (sparse ? 10 : 1) * parameters, 10 * 4 * samples * e,
          [f] { logistic_steps<float>(f->ctx, f->model, f->rows, f->slot(), 10, f->bank(), f->space); });
      // gradients of all rows stored; a Hessian product reads its direction besides
      add("logistic_gradients" + place, samples * features + 8 * p * static_cast<double>(W), 4 * samples * e, [f] {
        logistic_gradients<float>(f->ctx, f->model, f->rows, f->slot(), f->bank(), f->derivative(), f->space);
      });
      add("logistic_hessian" + place, samples * features + 12 * p * static_cast<double>(W), 6 * samples * e, [f] {
        logistic_hessian<float>(f->ctx, f->model, f->rows, f->slot(), f->bank(), f->bank(), f->derivative(), f->space);
      });
      add("logistic_scores" + place, n * features, 2 * n * e,
          [f] { logistic_scores<float>(f->ctx, f->model, f->bank().rows(0, 1), {}, {}); });
    }
}

}  // namespace orrery::bench
