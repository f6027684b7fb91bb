// The local step and its parts at the size of softmax regression on 28x28 images.
#include <fmt/format.h>

#include "bench/fixture.hpp"
#include "kernels/batched_gemm.hpp"
#include "kernels/clock.hpp"
#include "kernels/descend.hpp"
#include "kernels/distances.hpp"
#include "kernels/minibatch.hpp"
#include "kernels/softmax_hessian.hpp"
#include "kernels/softmax_loss.hpp"
#include "kernels/softmax_scores.hpp"

namespace orrery::bench {
namespace {

void add_for(int64_t W, int64_t B) {
  const Made<Fixture> f(W, B);
  const Context& ctx = context();
  constexpr double d = Fixture::d, c = Fixture::classes, p = Fixture::parameters();
  const double w = static_cast<double>(W), b = static_cast<double>(B);
  const auto name = [&](const char* kernel) {
    return fmt::format("{}/W:{}/B:{}/P:{}", kernel, W, B, Fixture::parameters());
  };

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
  // velocity and parameters read and written, the gradient read
  add(name("momentum_descend"), 20 * w * p, 4 * w * p, [f, &ctx] {
    momentum_descend<float>(ctx, f->rows, f->slot(), f->momentum(), f->bank(), f->g.view(f->workers, f->parameters()));
  });
  add(name("damp_push"), 8 * w * p + 12 * w * p, 3 * w * p, [f, &ctx] {
    damp<float>(ctx, f->rows, f->slot(), f->momentum());
    push<float>(ctx, f->rows, f->slot(), f->momentum(), f->bank());
  });
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
  add(name("softmax_hessian"), w * (12 * p + b * d), 6 * w * b * d * c, [f, &ctx] {  // along the row itself
    softmax_hessian<float>(ctx, f->model, f->rows, f->slot(), f->bank(), f->bank(),
                           f->g.view(f->workers, f->parameters()), f->space);
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

void add_scores() {
  struct Sets : Fixture {
    Buffer<float> whole{ctx, n* d};
    Buffer<double> values{ctx, 9 * 60000}, sums{ctx, 9};
    Buffer<int64_t> counts{ctx, 1 << 20};
    Sets() : Fixture(sized(64, 9), 8) {}
  };
  const Made<Sets> f;
  constexpr double d = Fixture::d;
  const double n = static_cast<double>(sized(20000, 256));
  add("gather/n:20000", n * d * 5, 3 * n * d,
      [f] { gather<float>(f->ctx, f->model.samples, 0, f->n, f->whole.view(f->n, f->d)); });
  add("segment_sums/9x60000", 8.0 * 9 * 60000, 9.0 * 60000,
      [f] { segment_sums(f->ctx, f->values.view(9, 60000), f->sums.view()); });
  add("total/1M", 8.0 * (1 << 20), 1 << 20, [f] { benchmark::DoNotOptimize(total(f->ctx, f->counts.view())); });
  add("softmax_scores/M:1/n:20000", n * d, 2 * n * d * 10,
      [f] { softmax_scores<float>(f->ctx, f->model, f->bank().rows(0, 1), {}, {}); });
  add("softmax_scores/M:9/n:20000", n * d, 9 * 2 * n * d * 10,
      [f] { softmax_scores<float>(f->ctx, f->model, f->bank().rows(0, 9), {}, {}); });
}

}  // namespace

void add_kernels() {
  if (small()) return add_for(9, 3), add_scores();
  for (int64_t W : {100, 1024})
    for (int64_t B : {8, 32}) add_for(W, B);
  add_scores();
}

}  // namespace orrery::bench
