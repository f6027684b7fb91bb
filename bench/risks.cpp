// The risks of the theory bench: quadratics, the double well and the factorization.
#include <fmt/format.h>

#include "bench/fixture.hpp"
#include "kernels/nonconvex.hpp"
#include "kernels/quadratic.hpp"

namespace orrery::bench {
namespace {

void add_quadratics() {
  const int64_t W = sized(1024, 5), P = sized(10000, 30);
  struct Bench : Fixture {
    int64_t P;
    Buffer<float> x{ctx, workers*P}, g{ctx, workers*P}, ac{ctx, P};
    Bench(int64_t rows, int64_t parameters) : Fixture(rows, 8), P(parameters) { fill(x), fill(g), fill(ac); }
    MatrixView<float> of(Buffer<float>& b) const { return b.view(workers, P); }
    QuadraticView<float> risk(double noise) const {
      const MatrixView<const float> all{ac.data(), workers, P, 0, ctx.backend};
      return {all, all, noise};
    }
  };
  const Made<Bench> f(W, P);
  // a normal: its half of a logarithm and a square root, a sine or cosine, five products and sums; a quarter of a block
  const double normal = philox / 4 + 2 * transcendental + 5;
  const double n = static_cast<double>(W * P);
  for (double noise : {0.0, 1.0}) {
    const double each = noise > 0 ? normal + 2 : 0;
    add(fmt::format("quadratic_steps_10/W:{}/P:{}/noise:{}", W, P, noise), 8 * n, 10 * (4 + each) * n,
        [=] { quadratic_steps<float>(f->ctx, f->risk(noise), f->rows, f->slot(), 10, f->of(f->x)); });
    add(fmt::format("quadratic_gradients/W:{}/P:{}/noise:{}", W, P, noise), 8 * n, (2 + each) * n,
        [=] { quadratic_gradients<float>(f->ctx, f->risk(noise), f->rows, f->slot(), f->of(f->x), f->of(f->g)); });
  }
  add(fmt::format("quadratic_losses/W:{}/P:{}", W, P), 4 * n, 5 * n,
      [=] { quadratic_losses<float>(f->ctx, f->risk(0), f->rows, f->of(f->x), f->rate_out()); });
  add(fmt::format("quadratic_hessian/W:{}/P:{}", W, P), 8 * n, n,
      [=] { quadratic_hessian<float>(f->ctx, f->risk(0), f->rows, f->slot(), f->of(f->x), f->of(f->g)); });
}

// A row is one thread: many rows, operations on double precision numbers.
template <class Risk>
void add_nonconvex(const char* risk, double operations) {
  const int64_t W = sized(int64_t{1} << 20, 5);
  struct Many {
    const Context& ctx = context();
    int64_t rows_, P = Risk::parameters;
    Buffer<float> x, v, g;
    Buffer<double> own, ones, losses;
    Buffer<int32_t> worker, batch;
    Buffer<uint64_t> seed;
    Buffer<int64_t> clock{ctx, 1};
    Rows rows;
    Risk law;
    explicit Many(int64_t n) : rows_(n), x(ctx, n * P), v(ctx, n * P), g(ctx, n * P), losses(ctx, n) {
      fill(x), fill(v);
      const auto count = static_cast<size_t>(n);
      own = {ctx, std::vector<double>(count, 0.1)}, ones = {ctx, std::vector<double>(count, 1e-3)};
      worker = {ctx, std::vector<int32_t>(count, 0)}, batch = {ctx, std::vector<int32_t>(count, 1)};
      seed = {ctx, std::vector<uint64_t>(count, 42)};
      rows.count = n, rows.seed = seed.view(), rows.worker = worker.view(), rows.batch = batch.view();
      rows.learning_rate = ones.view(), rows.rate = VectorView<const double>{}, rows.max_batch = 1;
      rate = {ctx, std::vector<double>(count, 1.0)}, rows.rate = rate.view();
      law.noise = 0.1, law.own = own.view();
    }
    Buffer<double> rate;
    Slot slot() const { return {clock.data(), 0}; }
    MatrixView<float> of(Buffer<float>& b) const { return b.view(rows_, P); }
  };
  const Made<Many> f(W);
  const double w = static_cast<double>(W), bytes = 4 * w * Risk::parameters, row = w * (8 + 4 + 4 + 8 + 8 + 8);
  const double drawn = philox + 3 * transcendental + 5;
  const auto name = [&](const char* kernel) { return fmt::format("{}_{}/W:{}", risk, kernel, W); };
  add(name("steps_10"), 2 * bytes + row, 10 * w * (drawn + operations),
      [f] { nonconvex_steps<Risk, float>(f->ctx, f->law, f->rows, f->slot(), 10, f->of(f->x)); });
  add(name("gradients"), 2 * bytes + row, w * (drawn + operations),
      [f] { nonconvex_gradients<Risk, float>(f->ctx, f->law, f->rows, f->slot(), f->of(f->x), f->of(f->g)); });
  add(name("hessian"), 3 * bytes + row, w * (drawn + operations), [f] {
    nonconvex_hessian<Risk, float>(f->ctx, f->law, f->rows, f->slot(), f->of(f->x), f->of(f->v), f->of(f->g));
  });
  add(name("losses"), bytes + w * (8 + 4 + 8), w * operations,
      [f] { nonconvex_losses<Risk, float>(f->ctx, f->law, f->worker.view(), f->of(f->x), f->losses.view()); });
}

}  // namespace

void add_risks() {
  add_quadratics();
  add_nonconvex<TwoWell>("two_well", 20 + 2 * transcendental);
  add_nonconvex<Factorization>("factorization", 6);
}

}  // namespace orrery::bench
