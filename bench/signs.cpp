// Signs of MLP gradients at one shared point: the gradients alone, gradients packed from a window of memory, and packed where they are formed.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "bench/harness.hpp"
#include "datasets/glyphs.hpp"
#include "kernels/mlp_signs.hpp"
#include "kernels/sign_pack.hpp"

namespace orrery::bench {
namespace {

// W workers of one replica on a set of 32000, batches of B but for the last worker's.
struct Signers {
  const Context& ctx = context();
  int64_t W, samples, window;
  Samples images;
  Buffer<uint8_t> bytes;
  Buffer<float> values, w, g;
  Buffer<int32_t> labels, worker, batch, order;
  Buffer<uint64_t> seed;
  Buffer<double> rate;
  Buffer<int64_t> begin, size, clock;
  Buffer<uint32_t> words;
  MlpView model;
  Rows rows;
  MlpWorkspace<float> space;
  MlpSignsWorkspace<float> signs_space;

  template <class T, class F>
  void fill(Buffer<T>& b, int64_t n, F value) {
    std::vector<T> v(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) v[static_cast<size_t>(i)] = static_cast<T>(value(i));
    b = Buffer<T>(ctx, v);
  }
  // `dense`: standard normal inputs; else images, whose pixels that are 0 in a whole tile of samples cost nothing on the CPU.
  Signers(int64_t workers, int64_t B, int64_t last, const std::vector<int64_t>& hidden, bool dense)
      : W(workers), samples((workers - 1) * B + last), images(make_glyphs(32000, 1, GlyphSplit::train)) {
    const int64_t n = 32000, d = 784;
    const Stream random(1, Draw::initial, 0, 0);
    if (dense)
      fill(values, n * d, [&](int64_t i) { return random.normal(static_cast<uint32_t>(i)); });
    else
      bytes = Buffer<uint8_t>(ctx, images.bytes);
    labels = Buffer<int32_t>(ctx, images.labels);
    model.samples.labels = labels.view();
    if (dense) model.samples.values = values.view(n, d);
    if (!dense) model.samples.bytes = bytes.view(n, d), model.samples.scale = 1.0 / 255;
    model.width = {d};
    model.width.insert(model.width.end(), hidden.begin(), hidden.end());
    model.width.push_back(10);
    fill(w, P(), [&](int64_t i) { return 0.05f * random.normal(static_cast<uint32_t>(i)); });

    fill(worker, W, [](int64_t i) { return i; });
    fill(batch, W, [&](int64_t i) { return i + 1 < W ? B : last; });
    fill(order, n, [](int64_t i) { return i; });
    fill(seed, W, [](int64_t) { return 42; });
    fill(rate, W, [](int64_t) { return 1; });
    fill(begin, W, [](int64_t) { return 0; });
    fill(size, W, [&](int64_t) { return n; });
    clock = Buffer<int64_t>(ctx, 1);
    rows = {W,           seed.view(),  worker.view(),    rate.view(), rate.view(), batch.view(), begin.view(),
            size.view(), order.view(), std::max(B, last)};
    window = std::clamp<int64_t>((int64_t{64} << 20) / (P() * 4), 1, W);
    g = Buffer<float>(ctx, window * P());
    words = Buffer<uint32_t>(ctx, W * sign_words(P()));
    space = MlpWorkspace<float>(ctx, model, window, rows.max_batch, int64_t{512} << 20);
  }
  int64_t P() const { return model.parameters(); }
  Slot slot() const { return {clock.data(), 0}; }
  MatrixView<const float> point(int64_t n) const { return {w.data(), n, P(), 0, ctx.backend}; }

  void gradients(bool pack) {
    for (int64_t r = 0; r < W; r += window) {
      const int64_t n = std::min(window, W - r);
      mlp_gradients<float>(ctx, model, rows.part(r, n), slot(), point(n), g.view(n, P()), space);
      if (!pack) continue;
      const MatrixView<uint32_t> out = words.view(W, sign_words(P())).rows(r, n);
      sign_pack<float>(ctx, rows.part(r, n), slot(), SignZero::plus, g.view(n, P()), {P(), out, {}});
    }
  }
  void signs() {
    mlp_signs<float>(ctx, model, rows, slot(), SignZero::plus, point(W), {P(), words.view(W, sign_words(P())), {}},
                     signs_space);
  }
};

void add_for(int64_t W, int64_t B, int64_t last, const std::vector<int64_t>& hidden, bool dense) {
  const auto f = std::make_shared<Signers>(W, B, last, hidden, dense);
  const double p = static_cast<double>(f->P()), n = static_cast<double>(W) * p;
  const double inputs = static_cast<double>(f->samples) * 784 * (dense ? 4 : 1);
  // forward and weight gradient of every layer, input gradient of all but the first
  const double flops = static_cast<double>(f->samples) * 2 * (3 * p - 784 * static_cast<double>(hidden.front()));
  const auto name = [&](const char* kernel) {
    return fmt::format("{}/W:{}/B:{}/last:{}/P:{}/{}", kernel, W, B, last, f->P(), dense ? "dense" : "images");
  };
  add(name("shared_gradients"), inputs + 4 * n, flops, [f] { f->gradients(false); });
  add(name("shared_gradients_pack"), inputs + 8 * n + n / 8, flops + 2 * n, [f] { f->gradients(true); });
  add(name("mlp_signs"), inputs + n / 8, flops + 2 * n, [f] { f->signs(); });
}

}  // namespace

void add_signs() {
  for (bool dense : {false, true})
    for (const auto& hidden : {std::vector<int64_t>{200}, {200, 200}}) {
      add_for(500, 4, 4, hidden, dense);
      add_for(500, 4, 30004, hidden, dense);
      add_for(256, 64, 64, hidden, dense);
    }
}

}  // namespace orrery::bench
