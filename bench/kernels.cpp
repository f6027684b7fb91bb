// Every kernel at the size of softmax regression on 28x28 images, and the tier averages also at the size of an MLP.
#include <fmt/format.h>

#include <memory>
#include <numeric>

#include "bench/harness.hpp"
#include "kernels/batched_gemm.hpp"
#include "kernels/clock.hpp"
#include "kernels/descend.hpp"
#include "kernels/distances.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/minibatch.hpp"
#include "kernels/mlp_hessian.hpp"
#include "kernels/participation.hpp"
#include "kernels/quadratic.hpp"
#include "kernels/softmax_loss.hpp"
#include "kernels/softmax_scores.hpp"
#include "kernels/softmax_steps.hpp"

namespace orrery::bench {
namespace {

// W workers on a random set of n images of d bytes in C classes, everything on the device.
struct Fixture {
  const Context& ctx = context();
  int64_t workers, batch, d = 784, n = 20000;
  int classes = 10;
  Buffer<uint8_t> images;
  Buffer<int32_t> labels, worker, batches, order, y;
  Buffer<uint64_t> seed;
  Buffer<double> rate, learning_rate, distances;
  Buffer<int64_t> begin, size, clock, steps;
  Buffer<float> w, g, x, logits;
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
  int64_t parameters() const { return classes * d + classes; }
  VectorView<double> rate_out() const { return distances.view(); }
  MatrixView<float> bank() const { return w.view(workers, parameters()); }
  Slot slot() const { return {clock.data(), 0}; }
};

void add_for(int64_t W, int64_t B) {
  const auto f = std::make_shared<Fixture>(W, B);
  const Context& ctx = f->ctx;
  const double w = static_cast<double>(W), b = static_cast<double>(B), d = static_cast<double>(f->d), c = f->classes,
               p = static_cast<double>(f->parameters());
  const auto name = [&](const char* kernel) { return fmt::format("{}/W:{}/B:{}/P:{}", kernel, W, B, f->parameters()); };

  // a draw, then convert, scale and shift each feature
  add(name("minibatch"), w * b * d * 5, w * b * (philox + 3 * d), [f, &ctx] {
    minibatch<float>(ctx, f->rows, f->model.samples, f->slot(), 0, f->batch, f->x.view(f->workers, f->batch * f->d),
                     f->y.view(f->workers, f->batch));
  });
  add(name("batched_gemm_forward"), 4 * w * (b * d + c * d + b * c), 2 * w * b * d * c, [f, &ctx] {
    batched_gemm<float>(ctx, f->batch, f->classes, f->d, 1, {f->x.data(), f->d, f->batch * f->d},
                        {f->w.data(), f->d, f->parameters(), true}, 0,
                        {f->logits.data(), f->classes, f->batch * f->classes}, f->workers);
  });
  add(name("batched_gemm_update"), 4 * w * (b * d + 2 * c * d + b * c), 2 * w * b * d * c, [f, &ctx] {
    batched_gemm<float>(ctx, f->classes, f->d, f->batch, 1e-9f,
                        {f->logits.data(), f->classes, f->batch * f->classes, true},
                        {f->x.data(), f->d, f->batch * f->d}, 1, {f->g.data(), f->d, f->parameters()}, f->workers);
  });
  // per logit: bias, maximum, difference, exp, sum, product, and the sum of the bias
  add(name("softmax_loss"), 8 * w * b * c, w * b * c * (6 + transcendental), [f, &ctx] {
    softmax_loss<float>(ctx, f->rows, Fold::gradient, f->batch, f->classes,
                        f->logits.view(f->workers, f->batch * f->classes), f->y.view(f->workers, f->batch),
                        f->bank().columns(f->classes * f->d, f->classes),
                        f->g.view(f->workers, f->parameters()).columns(f->classes * f->d, f->classes));
  });
  add(name("descend"), 12 * w * p, 2 * w * p,
      [f, &ctx] { descend<float>(ctx, f->rows, f->bank(), f->g.view(f->workers, f->parameters())); });
  add(name("decay"), 8 * w * p, 2 * w * p,
      [f, &ctx] { decay<float>(ctx, f->rows, f->slot(), 1e-4, f->classes * f->d, f->bank()); });
  // rung (b), both products. CUDA: 3 P per step; CPU: a row's parameters stay in cache and cross memory twice per stretch
  const bool cpu = ctx.backend == Backend::cpu;
  add(name("softmax_steps_10"), w * ((cpu ? 8 * p : 10 * 12 * p) + 10 * b * d), 10 * 4 * w * b * d * c,
      [f, &ctx] { softmax_steps<float>(ctx, f->model, f->rows, f->slot(), 10, f->bank(), f->space); });
  // rung (a): gradients stored, then descended
  add(name("softmax_gradients_descend"), w * (24 * p + b * d), 4 * w * b * d * c, [f, &ctx] {
    softmax_gradients<float>(ctx, f->model, f->rows, f->slot(), f->bank(), f->g.view(f->workers, f->parameters()),
                             f->space);
    descend<float>(ctx, f->rows, f->bank(), f->g.view(f->workers, f->parameters()));
  });
  add(name("row_distances"), 4 * w * p, 3 * w * p,
      [f, &ctx] { row_distances<float>(ctx, f->bank(), {}, {}, f->rate_out()); });
  add(name("add_decay"), 12 * w * p, 2 * w * p, [f, &ctx] {
    add_decay<float>(ctx, f->rows, f->slot(), 1e-4, f->classes * f->d, f->bank(),
                     f->g.view(f->workers, f->parameters()));
  });
  // rate, steps so far and the sum back; a comparison and a sum per slot
  add(name("clock"), 24 * w, 10 * 2 * w, [f, &ctx] { count_steps(ctx, f->rows, f->slot(), 10, f->steps.view()); });
}

// Gradients and Hessian products of MLP 784-200-200-10 at one shared point, a direction for every row; B samples each.
void add_curvature(int64_t W, int64_t B) {
  struct Perceptrons : Fixture {
    MlpView mlp;
    int64_t P;
    Buffer<float> point, directions, result;
    MlpWorkspace<float> room;
    Perceptrons(int64_t rows, int64_t samples) : Fixture(rows, samples) {
      mlp.samples = model.samples;
      mlp.width = {d, 200, 200, classes};
      P = mlp.parameters();
      const auto normals = [&](int64_t count, double scale, uint32_t key) {
        const Stream draw(1, Draw::initial, key, 0);
        std::vector<float> v(static_cast<size_t>(count));
        for (int64_t i = 0; i < count; ++i)
          v[static_cast<size_t>(i)] = static_cast<float>(scale * draw.normal(static_cast<uint32_t>(i)));
        return Buffer<float>(ctx, v);
      };
      point = normals(P, 0.05, 1);
      directions = normals(rows * P, 1, 2);
      result = Buffer<float>(ctx, rows * P);
      room = MlpWorkspace<float>(ctx, mlp, rows, samples, int64_t{512} << 20);
    }
    MatrixView<const float> shared() const { return {point.data(), workers, P, 0, ctx.backend}; }
  };
  const auto f = std::make_shared<Perceptrons>(W, B);
  const double n = static_cast<double>(W * B), p = static_cast<double>(W * f->P), inner = 200.0 * 210,
               outer = 784.0 * 200;
  add(fmt::format("mlp_gradients/W:{}/B:{}/P:{}", W, B, f->P), n * 784 + 4 * p, n * 2 * (2 * outer + 3 * inner), [f] {
    mlp_gradients<float>(f->ctx, f->mlp, f->rows, f->slot(), f->shared(), f->result.view(f->workers, f->P), f->room);
  });
  add(fmt::format("mlp_hessian/W:{}/B:{}/P:{}", W, B, f->P), n * 784 + 8 * p, n * 2 * (3 * outer + 8 * inner), [f] {
    mlp_hessian<float>(f->ctx, f->mlp, f->rows, f->slot(), f->shared(), f->directions.view(f->workers, f->P),
                       f->result.view(f->workers, f->P), f->room);
  });
}

void add_scores() {
  const auto f = std::make_shared<Fixture>(64, 8);
  const double n = static_cast<double>(f->n), d = static_cast<double>(f->d);
  const auto x = std::make_shared<Buffer<float>>(f->ctx, f->n * f->d);
  add("gather/n:20000", n * d * 5, 3 * n * d,
      [f, x] { gather<float>(f->ctx, f->model.samples, 0, f->n, x->view(f->n, f->d)); });
  const auto values = std::make_shared<Buffer<double>>(f->ctx, 9 * 60000),
             sums = std::make_shared<Buffer<double>>(f->ctx, 9);
  add("segment_sums/9x60000", 8.0 * 9 * 60000, 9.0 * 60000,
      [f, values, sums] { segment_sums(f->ctx, values->view(9, 60000), sums->view()); });
  const auto counts = std::make_shared<Buffer<int64_t>>(f->ctx, 1 << 20);
  add("total/1M", 8.0 * (1 << 20), 1 << 20, [f, counts] { benchmark::DoNotOptimize(total(f->ctx, counts->view())); });
  add("softmax_scores/M:1/n:20000", n * d, 2 * n * d * 10,
      [f] { softmax_scores<float>(f->ctx, f->model, f->bank().rows(0, 1), {}, {}); });
  add("softmax_scores/M:9/n:20000", n * d, 9 * 2 * n * d * 10,
      [f] { softmax_scores<float>(f->ctx, f->model, f->bank().rows(0, 9), {}, {}); });
}

// Averages and mixing of a (W, P) bank in groups of equal size.
void add_averages(int64_t W, int64_t P, int64_t nodes) {
  struct Bank {
    const Context& ctx = context();
    Buffer<float> x, means;
    Buffer<int64_t> begin, member, mix_begin, source;
    Buffer<double> weight, mix_weight, sums, values;
    GroupTable groups;
    MixTable ring;
  };
  const auto k = std::make_shared<Bank>();
  std::vector<int64_t> begin(static_cast<size_t>(nodes) + 1), member(static_cast<size_t>(W)), mix_begin(begin.size()),
      source;
  std::iota(member.begin(), member.end(), 0);
  for (int64_t i = 0; i <= nodes; ++i)
    begin[static_cast<size_t>(i)] = i * W / nodes, mix_begin[static_cast<size_t>(i)] = 3 * i;
  for (int64_t i = 0; i < nodes; ++i)
    for (int64_t j : {(i + nodes - 1) % nodes, i, (i + 1) % nodes}) source.push_back(j);
  k->x = Buffer<float>(k->ctx, W * P);
  k->means = Buffer<float>(k->ctx, nodes * P);
  k->begin = Buffer<int64_t>(k->ctx, begin);
  k->member = Buffer<int64_t>(k->ctx, member);
  k->weight = Buffer<double>(
      k->ctx, std::vector<double>(static_cast<size_t>(W), static_cast<double>(nodes) / static_cast<double>(W)));
  k->mix_begin = Buffer<int64_t>(k->ctx, mix_begin);
  k->source = Buffer<int64_t>(k->ctx, source);
  k->mix_weight = Buffer<double>(k->ctx, std::vector<double>(source.size(), 1.0 / 3));
  k->groups = {nodes, (W + nodes - 1) / nodes, k->begin.view(), k->member.view(), k->weight.view()};
  k->ring = {k->mix_begin.view(), k->source.view(), k->mix_weight.view()};
  const double elements = static_cast<double>(W) * static_cast<double>(P),
               on_nodes = static_cast<double>(nodes) * static_cast<double>(P);
  const auto name = [&](const char* kernel) { return fmt::format("{}/W:{}/nodes:{}/P:{}", kernel, W, nodes, P); };
  add(name("group_average"), 8 * elements, 2 * elements,
      [=] { group_average<float>(k->ctx, k->groups, k->x.view(W, P)); });
  add(name("group_mean"), 4 * elements + 4 * on_nodes, 2 * elements,
      [=] { group_mean<float>(k->ctx, k->groups, k->x.view(W, P), k->means.view(nodes, P)); });
  add(name("group_mix_ring"), 4 * on_nodes + 4 * elements, 6 * on_nodes,
      [=] { group_mix<float>(k->ctx, k->groups, k->ring, k->means.view(nodes, P), k->x.view(W, P)); });
}

// Half of the workers of each group drawn, and the weights of one tier's table.
void add_participation(int64_t W, int64_t nodes) {
  struct Drawn {
    const Context& ctx = context();
    Buffer<int64_t> begin, member, count, period, clock;
    Buffer<int32_t> index;
    Buffer<uint64_t> seed;
    Buffer<uint32_t> words;
    Buffer<uint8_t> present;
    Buffer<double> weight, scale, live;
  };
  const auto k = std::make_shared<Drawn>();
  std::vector<int64_t> begin(static_cast<size_t>(nodes) + 1), member(static_cast<size_t>(W));
  std::vector<int32_t> index(static_cast<size_t>(nodes));
  std::iota(member.begin(), member.end(), 0);
  std::iota(index.begin(), index.end(), 0);
  for (int64_t i = 0; i <= nodes; ++i) begin[static_cast<size_t>(i)] = i * W / nodes;
  k->begin = Buffer<int64_t>(k->ctx, begin);
  k->member = Buffer<int64_t>(k->ctx, member);
  k->count = Buffer<int64_t>(k->ctx, std::vector<int64_t>(static_cast<size_t>(nodes), W / nodes / 2));
  k->period = Buffer<int64_t>(k->ctx, std::vector<int64_t>(static_cast<size_t>(nodes), 10));
  k->clock = Buffer<int64_t>(k->ctx, 1);
  k->index = Buffer<int32_t>(k->ctx, index);
  k->seed = Buffer<uint64_t>(k->ctx, W);
  k->words = Buffer<uint32_t>(k->ctx, W);
  k->present = Buffer<uint8_t>(k->ctx, W);
  k->weight = Buffer<double>(
      k->ctx, std::vector<double>(static_cast<size_t>(W), static_cast<double>(nodes) / static_cast<double>(W)));
  k->scale = Buffer<double>(k->ctx, W);
  k->live = Buffer<double>(k->ctx, W);
  const double w = static_cast<double>(W);
  add(fmt::format("draw_participants/W:{}/nodes:{}", W, nodes), w * (33 * 4 + 8 + 8 + 8 + 1), 0, [=] {
    const ParticipationTable table{{nodes, 0, k->begin.view(), k->member.view(), k->weight.view()},
                                   k->count.view(),
                                   k->period.view(),
                                   k->index.view()};
    draw_participants(k->ctx, table, k->seed.view(), {k->clock.data(), 0}, k->words.view(), k->present.view(),
                      k->scale.view());
  });
  add(fmt::format("scale_weights/W:{}", W), w * 32, w,
      [=] { scale_weights(k->ctx, k->member.view(), k->weight.view(), k->scale.view(), k->live.view()); });
}

void add_quadratic() {
  const int64_t W = 1024, P = 10000;
  const auto f = std::make_shared<Fixture>(W, 8);
  const auto x = std::make_shared<Buffer<float>>(f->ctx, W * P), ac = std::make_shared<Buffer<float>>(f->ctx, P);
  const auto g = std::make_shared<Buffer<float>>(f->ctx, W * P);
  // a normal: its half of a logarithm and a square root, a sine or cosine, five products and sums; a quarter of a block
  const double normal = philox / 4 + 2 * transcendental + 5;
  for (double noise : {0.0, 1.0}) {
    const double each = noise > 0 ? normal + 2 : 0;
    const QuadraticView<float> q{{ac->data(), W, P, 0, f->ctx.backend}, {ac->data(), W, P, 0, f->ctx.backend}, noise};
    add(fmt::format("quadratic_steps_10/W:{}/P:{}/noise:{}", W, P, noise), 8.0 * W * P, 10 * (4 + each) * W * P,
        [=] { quadratic_steps<float>(f->ctx, q, f->rows, f->slot(), 10, x->view(W, P)); });
    add(fmt::format("quadratic_gradients/W:{}/P:{}/noise:{}", W, P, noise), 8.0 * W * P, (2 + each) * W * P,
        [=] { quadratic_gradients<float>(f->ctx, q, f->rows, f->slot(), x->view(W, P), g->view(W, P)); });
    if (noise == 0)
      add(fmt::format("quadratic_losses/W:{}/P:{}", W, P), 4.0 * W * P, 5.0 * W * P,
          [=] { quadratic_losses<float>(f->ctx, q, f->rows, x->view(W, P), f->rate_out()); });
  }
}

}  // namespace

void add_kernels() {
  for (int64_t W : {100, 1024})
    for (int64_t B : {8, 32}) add_for(W, B);
  add_curvature(64, 8);
  add_curvature(16, 1000);
  add_scores();
  add_participation(1000, 10);
  add_participation(int64_t{1} << 20, 1000);
  add_averages(1024, 7850, 1);
  add_averages(1024, 7850, 32);
  add_averages(256, 199210, 1);
  add_averages(256, 199210, 256);
  add_quadratic();
}

}  // namespace orrery::bench
