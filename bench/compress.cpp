// Compressors at the size of a multilayer perceptron on 28x28 images: what a row becomes when it is sent, beside one read and one write of it.
#include <fmt/format.h>

#include <numeric>

#include "bench/harness.hpp"
#include "kernels/sine_map.hpp"
#include "kernels/tier_messages.hpp"
#include "runtime/compression/compressor.hpp"

namespace orrery::bench {
namespace {

// W workers of one replica with normal numbers.
struct Bank {
  const Context& ctx = context();
  const int64_t W, P;
  Buffer<float> x, q;
  Buffer<uint64_t> seed;
  Buffer<int32_t> worker;
  Buffer<int64_t> clock;
  Rows rows;

  Bank(int64_t workers, int64_t parameters) : W(workers), P(parameters) {
    std::vector<float> v(static_cast<size_t>(W * P));
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < W; ++r) {
      const Stream s(1, Draw::initial, static_cast<uint32_t>(r), 0);
      for (int64_t j = 0; j < P; ++j)
        v[static_cast<size_t>(r * P + j)] = static_cast<float>(s.normal(static_cast<uint32_t>(j)));
    }
    std::vector<int32_t> who(static_cast<size_t>(W));
    std::iota(who.begin(), who.end(), 0);
    x = {ctx, v}, q = {ctx, W * P};
    seed = {ctx, std::vector<uint64_t>(static_cast<size_t>(W), 42)}, worker = {ctx, who};
    clock = {ctx, std::vector<int64_t>{3}};
    rows.count = W, rows.seed = seed.view(), rows.worker = worker.view();
  }
};

// What a tier does around a compressor: rows of one node, offered and settled.
struct Tier : Bank {
  Buffer<float> ref, memory;
  Buffer<int64_t> of, period, number;
  Buffer<uint8_t> acts;

  Tier(int64_t workers, int64_t parameters) : Bank(workers, parameters) {
    ref = {ctx, parameters}, memory = {ctx, W * P};
    of = {ctx, std::vector<int64_t>(static_cast<size_t>(W))}, number = {ctx, W}, acts = {ctx, W};
    period = {ctx, std::vector<int64_t>(static_cast<size_t>(W), 3)};
    fill(ref), fill(memory);
  }
};

}  // namespace

void add_compressors() {
  constexpr int64_t P = 199210;
  const int64_t W = sized(256, 3);
  const Made<Bank> bank(W, P);
  const double n = static_cast<double>(W) * static_cast<double>(P);
  const auto add_case = [&](const std::string& name, const std::string& keys, double flops) {
    struct Bound {
      std::unique_ptr<Compressor> spec;
      std::unique_ptr<Compression<float>> compression;
    };
    const auto bound = std::make_shared<Bound>();
    add(fmt::format("compress_{}/W:{}/P:{}", name, W, P), 8 * n, flops * n, [=] {
      const Bank& b = *bank;
      if (!bound->spec) {
        Params p = Params::from_text(keys, "bench");
        bound->spec = make_compressor(p);
        const BankShape shape{.parameters = P, .tensors = {{784, 200}, {200}, {200, 200}, {200}, {200, 10}, {10}}};
        bound->compression = bound->spec->bind(b.ctx, b.rows, shape, float{});
      }
      bound->compression->apply(b.ctx, b.rows, {b.clock.data()}, b.x.view(W, P), b.q.view(W, P));
    });
  };
  add_case("identity", "kind = 'identity'", 0);
  add_case("top_1_percent", "kind = 'top-k'\nk = 1992", 6);
  add_case("top_10_percent", "kind = 'top-k'\nk = 19921", 6);
  add_case("rand_1_percent", "kind = 'rand-k'\nk = 1992", 0);
  add_case("sign", "kind = 'sign'", 4);
  add_case("quantizer_4_bits", "kind = 'quantizer'\nbits = 4", 8);
  add_case("qsgd_16", "kind = 'qsgd'\nlevels = 16", 12 + philox / 4);
  add_case("qsgd_16_elias", "kind = 'qsgd'\nlevels = 16\ncoding = 'elias-gamma'", 20 + philox / 4);
  add_case("natural", "kind = 'natural'", 8 + philox / 4);
  add_case("cyclic", "kind = 'cyclic'", 0);
  add_case("trigonometric", "kind = 'trigonometric'", 6);
  add_case("random_scalarizer", "kind = 'random-scalarizer'", 6);
  add_case("power_sgd_2", "kind = 'power-sgd'\nrank = 2", 12);
  add(fmt::format("sine_map/W:{}/P:{}", W, P), 8 * n, 22 * n,
      [=] { sine_map<float>(bank->ctx, 0.5, bank->x.view(W, P), bank->q.view(W, P)); });

  const Made<Tier> tier(W, P);
  const double rows = static_cast<double>(W);
  add(fmt::format("tier_senders/W:{}", W), 9 * rows, rows,
      [=] { tier_senders(tier->ctx, {tier->clock.data()}, tier->period.view(), {}, tier->acts.view()); });
  add(fmt::format("tier_numbers/W:{}", W), 16 * rows, rows,
      [=] { tier_numbers(tier->ctx, {tier->clock.data()}, tier->period.view(), tier->number.view()); });
  add(fmt::format("tier_offer/W:{}/P:{}", W, P), 12 * n, 2 * n, [=] {
    tier_offer<float>(tier->ctx, {tier->of.view(), {}}, tier->x.view(W, P), tier->ref.view(1, P), true,
                      tier->memory.view(W, P));
  });
  add(fmt::format("tier_settle/W:{}/P:{}", W, P), 12 * n, n,
      [=] { tier_settle<float>(tier->ctx, {}, tier->q.view(W, P), tier->memory.view(W, P)); });
  add(fmt::format("tier_take/W:{}/P:{}", W, P), 4 * n, 0, [=] {
    tier_take<float>(tier->ctx, {tier->of.view(), {}}, tier->ref.view(1, P), tier->q.view(W, P));
  });
}

}  // namespace orrery::bench
