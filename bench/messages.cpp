// What workers do to a gradient before they send it, and the means of what they sent.
#include <fmt/format.h>

#include <numeric>

#include "bench/harness.hpp"
#include "kernels/blend.hpp"
#include "kernels/error_feedback.hpp"
#include "kernels/sign_noise.hpp"
#include "kernels/tensor_norms.hpp"
#include "kernels/tier_messages.hpp"
#include "kernels/top_signs.hpp"

namespace orrery::bench {
namespace {

// W workers of one replica, each with the tensors of a multilayer perceptron on 28x28 images.
struct Senders {
  const Context& ctx = context();
  const std::vector<int64_t> offsets{0, 156800, 157000, 197000, 197200, 199200, 199210};
  const int64_t W, P = offsets.back(), tensors = static_cast<int64_t>(offsets.size()) - 1;
  Buffer<float> g, e, x;
  Buffer<double> ones, norms, scales;
  Buffer<int64_t> offset, keep, begin, member, clock, owner;
  Buffer<uint32_t> positive, zero;
  Buffer<TopCut> cuts;
  Buffer<uint64_t> seed;
  Buffer<int32_t> worker;
  Rows rows;

  explicit Senders(int64_t workers) : W(workers) {
    const auto random = [&](uint32_t key) {
      std::vector<float> v(static_cast<size_t>(W * P));
      const Stream s(1, Draw::initial, key, 0);
      for (size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(s.uniform(static_cast<uint32_t>(i)) - 0.5);
      return v;
    };
    std::vector<int64_t> k, members(static_cast<size_t>(W));
    for (size_t t = 0; t + 1 < offsets.size(); ++t) k.push_back(kept(0.1, offsets[t + 1] - offsets[t]));
    std::iota(members.begin(), members.end(), 0);
    std::vector<int32_t> workers_of_rows(members.begin(), members.end());
    g = Buffer<float>(ctx, random(0)), e = Buffer<float>(ctx, random(1)), x = Buffer<float>(ctx, P);
    ones = Buffer<double>(ctx, std::vector<double>(static_cast<size_t>(W), 1.0));
    norms = Buffer<double>(ctx, W * tensors), scales = Buffer<double>(ctx, W * tensors);
    offset = Buffer<int64_t>(ctx, offsets), keep = Buffer<int64_t>(ctx, k);
    begin = Buffer<int64_t>(ctx, std::vector<int64_t>{0, W}), member = Buffer<int64_t>(ctx, members);
    clock = Buffer<int64_t>(ctx, std::vector<int64_t>{0}), owner = Buffer<int64_t>(ctx, W);  // one reference, row 0
    positive = Buffer<uint32_t>(ctx, W * sign_words(P)), zero = Buffer<uint32_t>(ctx, W * sign_words(P));
    cuts = Buffer<TopCut>(ctx, W * tensors);
    seed = Buffer<uint64_t>(ctx, std::vector<uint64_t>(static_cast<size_t>(W), 42));
    worker = Buffer<int32_t>(ctx, workers_of_rows);
    rows.count = W, rows.seed = seed.view(), rows.worker = worker.view();
  }
  SignsOut signs(bool zeros) const {
    const int64_t words = sign_words(P);
    return {P, positive.view(W, words), zeros ? zero.view(W, words) : MatrixView<uint32_t>{}};
  }
  GroupTable groups() const { return {1, W, begin.view(), member.view(), ones.view()}; }
};

void add_for(int64_t W) {
  const auto s = std::make_shared<std::unique_ptr<Senders>>();  // made by the first case that runs
  const auto of = [s, W]() -> const Senders& {
    if (!*s) *s = std::make_unique<Senders>(W);
    return **s;
  };
  const int64_t P = 199210;
  const double p = static_cast<double>(P), n = static_cast<double>(W) * p, bits = n / 8;
  const auto name = [&](const char* kernel) { return fmt::format("{}/W:{}/P:{}", kernel, W, P); };
  const auto noise = [of](NoiseLaw law) {
    const Senders& v = of();
    sign_noise<float>(v.ctx, v.rows, {v.clock.data()}, law, v.ones.view(), v.g.view(v.W, v.P));
  };

  add(name("sign_noise_uniform"), 8 * n, n * (philox / 4 + 6), [=] { noise(NoiseLaw::uniform); });
  add(name("sign_noise_normal"), 8 * n, n * (philox / 4 + 2 * transcendental + 6), [=] { noise(NoiseLaw::normal); });
  add(name("tensor_norms_l1"), 4 * n, 3 * n, [of] {
    const Senders& v = of();
    tensor_norms<float>(v.ctx, v.offset.view(), v.e.view(v.W, v.P), Norm::l1, v.norms.view(v.W, v.tensors));
  });
  add(name("blend"), 12 * n, 2 * n, [of] {
    const Senders& v = of();
    blend<float>(v.ctx, v.ones.view(), v.g.view(v.W, v.P), v.ones.view(), v.e.view(v.W, v.P));
  });
  add(name("scaled_signs"), 8 * n + bits, 3 * n, [of] {
    const Senders& v = of();
    scaled_signs<float>(v.ctx, v.offset.view(), v.norms.view(v.W, v.tensors), v.e.view(v.W, v.P), v.signs(false),
                        v.scales.view(v.W, v.tensors));
  });
  add(name("scaled_mean"), bits + 4 * p, 2 * n, [of] {
    const Senders& v = of();
    scaled_mean<float>(v.ctx, v.groups(), {v.offset.view(), v.signs(false), v.scales.view(v.W, v.tensors)},
                       v.x.view(1, v.P));
  });
  // e must be filled again before each call, or zeros are all that is left after ten
  add(name("blend_top_signs"), 12 * n + 8 * n + 2 * bits, 2 * n + 8 * n, [of] {
    const Senders& v = of();
    blend<float>(v.ctx, v.ones.view(), v.g.view(v.W, v.P), v.ones.view(), v.e.view(v.W, v.P));
    top_signs<float>(v.ctx, v.offset.view(), v.keep.view(), v.e.view(v.W, v.P), v.cuts.view(v.W, v.tensors),
                     v.signs(true));
  });
  // compressed tiers: what a worker offers beside a shared reference, and what it keeps
  add(name("tier_offer"), 12 * n, 2 * n, [of] {
    const Senders& v = of();
    tier_offer<float>(v.ctx, {v.owner.view(), {}}, v.g.view(v.W, v.P), v.x.view(1, v.P), true, v.e.view(v.W, v.P));
  });
  add(name("tier_settle"), 12 * n, n, [of] {
    const Senders& v = of();
    tier_settle<float>(v.ctx, {}, v.g.view(v.W, v.P), v.e.view(v.W, v.P));
  });
  add(name("sparse_mean"), 4 * n + 4 * p, 4 * n, [of] {
    const Senders& v = of();
    sparse_mean<float>(v.ctx, v.groups(), v.g.view(v.W, v.P), v.x.view(1, v.P));
  });
}

}  // namespace

void add_messages() { add_for(256); }

}  // namespace orrery::bench
