// Multilayer perceptrons 784-200-200-10: steps, gradients, Hessian products, scores, and the element-wise parts that CUDA launches alone.
#include <fmt/format.h>

#include "bench/fixture.hpp"
#include "kernels/activation.hpp"
#include "kernels/mlp_hessian.hpp"
#include "kernels/mlp_scores.hpp"
#include "kernels/mlp_steps.hpp"
#include "kernels/tangents.hpp"

namespace orrery::bench {
namespace {

constexpr int64_t P = 785 * 200 + 201 * 200 + 201 * 10;
constexpr double inner = 200.0 * 210, outer = 784.0 * 200;  // weights above the first layer, and in it

// MLP 784-200-200-10 at one shared point, a direction for every row; B samples each.
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

// Derivatives at the shared point.
void add_derivatives(int64_t W, int64_t B) {
  const Made<Perceptrons> f(W, B);
  const double n = static_cast<double>(W * B), p = static_cast<double>(W * P);
  add(fmt::format("mlp_gradients/W:{}/B:{}/P:{}", W, B, P), n * 784 + 4 * p, n * 2 * (2 * outer + 3 * inner), [f] {
    mlp_gradients<float>(f->ctx, f->mlp, f->rows, f->slot(), f->shared(), f->result.view(f->workers, f->P), f->room);
  });
  add(fmt::format("mlp_hessian/W:{}/B:{}/P:{}", W, B, P), n * 784 + 8 * p, n * 2 * (3 * outer + 8 * inner), [f] {
    mlp_hessian<float>(f->ctx, f->mlp, f->rows, f->slot(), f->shared(), f->directions.view(f->workers, f->P),
                       f->result.view(f->workers, f->P), f->room);
  });
}

// Steps of every row on its own parameters.
void add_steps(int64_t W, int64_t B) {
  const Made<Perceptrons> f(W, B);
  const double n = static_cast<double>(W * B), p = static_cast<double>(W * P);
  // CPU: a row's parameters cross memory twice in all; CUDA: forward, update, and backward above the first layer (rung b)
  const double parameters =
      context().backend == Backend::cpu ? 8 * p : 10 * (12 * p + 4 * static_cast<double>(W) * inner);
  add(fmt::format("mlp_steps_10/W:{}/B:{}/P:{}", W, B, P), parameters + 10 * n * 784,
      10 * n * 2 * (2 * outer + 3 * inner),
      [f] { mlp_steps<float>(f->ctx, f->mlp, f->rows, f->slot(), 10, f->result.view(f->workers, P), f->room); });
}

void add_scores() {
  const Made<Perceptrons> f(sized(64, 9), 8);
  const double n = static_cast<double>(sized(20000, 256));
  for (int64_t models : {1, 9})
    add(fmt::format("mlp_scores/M:{}/n:20000", models), n * 784 + 4.0 * P * static_cast<double>(models),
        2 * static_cast<double>(models) * n * (outer + inner),
        [f, models] { mlp_scores<float>(f->ctx, f->mlp, f->directions.view(f->workers, P).rows(0, models), {}, {}); });
}

// One hidden layer, and the logits, of batches.
struct Layer : Fixture {
  static constexpr int64_t units = 200;
  Buffer<float> h{ctx, workers*batch*units}, e{ctx, workers*batch*units}, dh{ctx, workers*batch*units},
      de{ctx, workers*batch*units}, bias{ctx, workers*units}, sums{ctx, workers*units},
      tangents{ctx, workers*batch*classes};
  Layer(int64_t rows, int64_t samples) : Fixture(rows, samples) {
    fill(h), fill(e), fill(dh), fill(de), fill(bias), fill(logits), fill(tangents);
  }
  MatrixView<float> of(Buffer<float>& b) const { return b.view(workers, b.size() / workers); }
};

void add_element_wise(int64_t W, int64_t B) {
  const Made<Layer> f(W, B);
  const double n = static_cast<double>(W * B * Layer::units), b = static_cast<double>(W * Layer::units),
               z = static_cast<double>(W * B * Fixture::classes);
  const auto name = [&](const char* kernel) {
    return fmt::format("{}/W:{}/B:{}/units:{}", kernel, W, B, Layer::units);
  };
  constexpr Activation relu = Activation::relu;
  add(name("activate_rows"), 8 * n + 4 * b, 2 * n,
      [f] { activate_rows<float>(f->ctx, relu, f->batch, Layer::units, f->of(f->bias), f->of(f->h)); });
  add(name("activation_backward"), 12 * n + 8 * b, 3 * n, [f] {
    activation_backward<float>(f->ctx, relu, f->batch, Layer::units, f->of(f->h), f->of(f->e), f->of(f->sums));
  });
  add(name("activate_tangent"), 12 * n + 4 * b, 3 * n, [f] {
    activate_tangent<float>(f->ctx, relu, f->batch, Layer::units, f->of(f->bias), f->of(f->h), f->of(f->dh));
  });
  add(name("backward_tangent"), 24 * n + 8 * b, 6 * n, [f] {
    backward_tangent<float>(f->ctx, relu, f->batch, Layer::units, f->of(f->h), f->of(f->dh), f->of(f->e), f->of(f->de),
                            f->of(f->sums));
  });
  add(name("softmax_loss_tangent"), 16 * z, z * (10 + transcendental), [f] {
    const MatrixView<float> bias = f->of(f->bias).columns(0, f->classes);
    softmax_loss_tangent<float>(f->ctx, f->rows, f->batch, f->classes, f->of(f->logits), f->of(f->tangents),
                                f->y.view(f->workers, f->batch), bias, bias, f->of(f->sums).columns(0, f->classes));
  });
}

}  // namespace

void add_perceptrons() {
  if (small()) return add_derivatives(4, 3), add_steps(4, 3), add_scores(), add_element_wise(4, 3);
  add_derivatives(64, 8);
  add_derivatives(16, 1000);
  add_steps(64, 8);
  add_scores();
  // the CPU folds these into its tiles
  if (context().backend == Backend::cuda) add_element_wise(1024, 32);
}

}  // namespace orrery::bench
