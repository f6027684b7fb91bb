// Signs of MLP gradients at one shared point: the gradients alone, gradients packed from a window of memory, and packed where they are formed.
#include <fmt/format.h>

#include <algorithm>

#include "bench/harness.hpp"
#include "datasets/glyphs.hpp"
#include "kernels/mlp_signs.hpp"
#include "kernels/sign_pack.hpp"

namespace orrery::bench {
namespace {

constexpr int64_t window_bytes = int64_t{64} << 20;  // of gradients in memory at one time
constexpr int64_t features = 784;
const int64_t set_size = small() ? 128 : 32000;

template <class T, class F>
Buffer<T> filled(int64_t n, F value) {
  std::vector<T> v(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) v[static_cast<size_t>(i)] = static_cast<T>(value(i));
  return Buffer<T>(context(), v);
}

// `dense`: standard normal inputs; else images of ink on white, most pixels 0: those that are 0 in a whole tile of samples cost nothing on
// the CPU. Made when first asked for, never destroyed.
const SampleView& set_of(bool dense) {
  static const Samples& images = *new Samples(make_glyphs(set_size, 1, GlyphSplit::train));
  static const auto& labels = *new Buffer<int32_t>(context(), images.labels);
  static const auto view = [](MatrixView<const uint8_t> bytes, MatrixView<const float> values) {
    return SampleView{bytes, values, labels.view(), bytes.size() > 0 ? 1.0 / 255 : 1.0, 0};
  };
  if (dense) {
    const Stream random(1, Draw::initial, 0, 0);
    static const auto& values = *new Buffer<float>(
        filled<float>(set_size * features, [&](int64_t i) { return random.normal(static_cast<uint32_t>(i)); }));
    static const SampleView all = view({}, values.view(set_size, features));
    return all;
  }
  static const auto& bytes = *new Buffer<uint8_t>(filled<uint8_t>(set_size * features, [&](int64_t i) {
    const int ink = images.bytes[static_cast<size_t>(i)];
    return ink < 64 ? 0 : ink;
  }));
  static const SampleView all = view(bytes.view(set_size, features), {});
  return all;
}

// W workers of one replica, batches of B but for the last worker's.
struct Signers {
  const Context& ctx = context();
  int64_t W, samples, window = 1;
  MlpView model;
  Buffer<float> w, g;
  Buffer<int32_t> worker, batch, order;
  Buffer<uint64_t> seed;
  Buffer<double> rate;
  Buffer<int64_t> begin, size, clock;
  Buffer<uint32_t> words;
  Rows rows;
  MlpWorkspace<float> space;
  MlpSignsWorkspace<float> signs_space;

  Signers(int64_t workers, int64_t B, int64_t last, const std::vector<int64_t>& hidden)
      : W(workers), samples((workers - 1) * B + last) {
    model.width = {features};
    model.width.insert(model.width.end(), hidden.begin(), hidden.end());
    model.width.push_back(10);
    rows.count = W;
    rows.max_batch = std::max(B, last);
  }
  // what the first case that runs needs
  void make(int64_t B, int64_t last, bool dense) {
    if (w.size() > 0) return;
    model.samples = set_of(dense);
    const Stream random(2, Draw::initial, 0, 0);
    w = filled<float>(P(), [&](int64_t i) { return 0.05 * random.normal(static_cast<uint32_t>(i)); });
    rows.worker = (worker = filled<int32_t>(W, [](int64_t i) { return i; })).view();
    rows.batch = (batch = filled<int32_t>(W, [&](int64_t i) { return i + 1 < W ? B : last; })).view();
    rows.order = (order = filled<int32_t>(set_size, [](int64_t i) { return i; })).view();
    rows.seed = (seed = filled<uint64_t>(W, [](int64_t) { return 42; })).view();
    rows.rate = rows.learning_rate = (rate = filled<double>(W, [](int64_t) { return 1; })).view();
    rows.begin = (begin = filled<int64_t>(W, [](int64_t) { return 0; })).view();
    rows.size = (size = filled<int64_t>(W, [](int64_t) { return set_size; })).view();
    clock = Buffer<int64_t>(ctx, 1);
    window = std::clamp<int64_t>(window_bytes / (P() * 4), 1, W);
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
  const Made<Signers> f(W, B, last, hidden);
  const int64_t P = 201 * 10 + 785 * 200 + (hidden.size() > 1 ? 201 * 200 : 0);
  const double p = static_cast<double>(P), n = static_cast<double>(W) * p;
  const double samples = static_cast<double>((W - 1) * B + last);
  const double inputs = samples * 784 * (dense ? 4 : 1);
  // forward and weight gradient of every layer, input gradient of all but the first
  const double flops = samples * 2 * (3 * p - 784 * static_cast<double>(hidden.front()));
  const auto name = [&](const char* kernel) {
    return fmt::format("{}/W:{}/B:{}/last:{}/P:{}/{}", kernel, W, B, last, P, dense ? "dense" : "images");
  };
  add(name("shared_gradients"), inputs + 4 * n, flops, [=] { f->make(B, last, dense), f->gradients(false); });
  add(name("shared_gradients_pack"), inputs + 8 * n + n / 8, flops + 2 * n,
      [=] { f->make(B, last, dense), f->gradients(true); });
  add(name("mlp_signs"), inputs + n / 8, flops + 2 * n, [=] { f->make(B, last, dense), f->signs(); });
}

}  // namespace

void add_signs() {
  for (bool dense : {false, true})
    for (const auto& hidden : {std::vector<int64_t>{200}, {200, 200}}) {
      if (small()) {
        add_for(3, 4, 8, hidden, dense);
        continue;
      }
      add_for(500, 4, 4, hidden, dense);
      add_for(500, 4, 30004, hidden, dense);
      add_for(256, 64, 64, hidden, dense);
    }
}

}  // namespace orrery::bench
