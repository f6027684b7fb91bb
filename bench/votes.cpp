// Votes of packed signs beside the average of the same workers' float gradients.
#include <fmt/format.h>

#include <numeric>

#include "bench/harness.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/majority_vote.hpp"
#include "kernels/sign_attack.hpp"
#include "kernels/sign_errors.hpp"
#include "kernels/sign_pack.hpp"
#include "kernels/sign_step.hpp"
#include "kernels/weighted_vote.hpp"

namespace orrery::bench {
namespace {

// W workers of one replica. A gigabyte in all: each part is made by the first case that runs on it.
struct Voters {
  const Context& ctx = context();
  const int64_t W, P, rounds = 500;
  const LlrRule rule;

  Voters(int64_t workers, int64_t parameters) : W(workers), P(parameters) {}

  template <class T, class F>
  const Buffer<T>& made(Buffer<T>& b, int64_t n, F value) {
    if (b.size() == 0) {
      std::vector<T> v(static_cast<size_t>(n));
      for (int64_t i = 0; i < n; ++i) v[static_cast<size_t>(i)] = static_cast<T>(value(i));
      b = Buffer<T>(ctx, v);
    }
    return b;
  }
  static uint32_t noise(int64_t i) {
    return static_cast<uint32_t>((static_cast<uint64_t>(i) * 0x9E3779B97F4A7C15u) >> 32);
  }

  MatrixView<float> gradients() {
    return made(gradients_, W * P, [](int64_t i) { return static_cast<float>(noise(i)) / 4294967296.0f - 0.5f; })
        .view(W, P);
  }
  SignsOut signs() {
    return {P,
            made(signs_, W * sign_words(P),
                 [&](int64_t i) {
                   const int64_t k = i % sign_words(P);
                   return noise(i) & bits_in_use(P, k);
                 })
                .view(W, sign_words(P)),
            {}};
  }
  SignsOut zeros() {
    SignsOut s = signs();
    s.zero = made(zeros_, W * sign_words(P), [](int64_t) { return 0; }).view(W, sign_words(P));
    return s;
  }
  MatrixView<uint16_t> counts() {
    return made(counts_, W * P, [&](int64_t i) { return rounds / 2 + noise(i) % (rounds / 2); }).view(W, P);
  }
  GroupTable groups() {
    made(begin_, 2, [&](int64_t i) { return i * W; });
    made(member_, W, [](int64_t i) { return i; });
    made(weight_, W, [&](int64_t) { return 1.0 / static_cast<double>(W); });
    return {1, W, begin_.view(), member_.view(), weight_.view()};
  }
  Rows rows() {
    Rows r;
    r.count = W;
    r.seed = made(seed_, W, [](int64_t) { return 42; }).view();
    r.worker = made(worker_, W, [](int64_t i) { return i; }).view();
    return r;
  }
  Slot slot() {
    return {made(clock_, 1, [](int64_t) { return 0; }).data(), 0};
  }
  VectorView<const double> weight() { return groups().weight; }
  MatrixView<const double> table() {
    if (table_.size() == 0) {
      auto all = llr_table(rounds, rule, llr_grid(W, rule));
      all.resize(65536, all.back());  // repeats of a case that learns count on
      table_ = Buffer<double>(ctx, all);
    }
    return table_.view(1, 65536);
  }
  VectorView<const double> delta() {
    return made(delta_, 1, [](int64_t) { return 1e-3; }).view();
  }
  MatrixView<float> x() {
    return made(x_, P, [](int64_t) { return 1; }).view(1, P);
  }
  Decision decision() {
    const auto none = [](int64_t) { return 0; };
    return {{P, made(decoded_, sign_words(P), none).view(1, sign_words(P)),
             made(ties_, sign_words(P), none).view(1, sign_words(P))}};
  }
  VectorView<int64_t> agreed() {
    return made(agreed_, W, [](int64_t) { return 0; }).view();
  }
  // sums of `nodes` hubs, all below one
  static constexpr int64_t hubs = 32;
  MatrixView<int32_t> sums(int64_t nodes) {
    Buffer<int32_t>& b = nodes == 1 ? sum_ : sums_;
    return made(b, nodes * P, [](int64_t i) { return static_cast<int32_t>(noise(i) % 65) - 32; }).view(nodes, P);
  }
  GroupTable hub() {
    made(hub_begin_, 2, [&](int64_t i) { return i * hubs; });
    made(hub_member_, hubs, [](int64_t i) { return i; });
    made(hub_weight_, hubs, [](int64_t) { return 1; });
    return {1, hubs, hub_begin_.view(), hub_member_.view(), hub_weight_.view()};
  }
  VectorView<const double> halves() {
    return made(halves_, W, [](int64_t) { return 0.5; }).view();
  }
  VectorView<const int64_t> nodes() {
    return made(nodes_, W, [](int64_t) { return 0; }).view();
  }
  VectorView<const uint8_t> chosen() {
    return made(chosen_, W, [](int64_t) { return 1; }).view();
  }
  VectorView<const double> reference() {
    return made(reference_, P, [](int64_t i) { return noise(i) / 4294967296.0 - 0.5; }).view();
  }
  VectorView<double> errors() {
    return made(errors_, W, [](int64_t) { return 0; }).view();
  }
  MatrixView<const uint32_t> classes() {  // one: every coordinate
    return made(classes_, sign_words(P), [&](int64_t k) { return bits_in_use(P, k); }).view(1, sign_words(P));
  }
  MatrixView<int64_t> wrong() {
    return made(wrong_, W, [](int64_t) { return 0; }).view(W, 1);
  }

 private:
  Buffer<float> gradients_, x_;
  Buffer<int32_t> sum_, sums_;
  Buffer<int64_t> hub_begin_, hub_member_, nodes_, wrong_;
  Buffer<double> hub_weight_, halves_, reference_, errors_;
  Buffer<uint8_t> chosen_;
  Buffer<uint32_t> classes_;
  Buffer<uint32_t> signs_, zeros_, decoded_, ties_;
  Buffer<uint16_t> counts_;
  Buffer<int64_t> begin_, member_, clock_, agreed_;
  Buffer<int32_t> worker_;
  Buffer<uint64_t> seed_;
  Buffer<double> weight_, table_, delta_;
};

void add_for(int64_t W, int64_t P) {
  const Made<Voters> v(W, P);
  const double n = static_cast<double>(W) * static_cast<double>(P), p = static_cast<double>(P), bits = n / 8;
  const auto name = [&](const char* kernel) { return fmt::format("{}/W:{}/P:{}", kernel, W, P); };
  const double step = 8 * p + p / 4, out = p / 4;  // the model read and written, the decision written and read

  add("S10/" + name("mean_step"), 4 * n + 4 * p, 2 * n,
      [v] { group_mean<float>(v->ctx, v->groups(), v->gradients(), v->x()); });
  add(name("sign_pack"), 4 * n + bits, 2 * n,
      [v] { sign_pack<float>(v->ctx, v->rows(), v->slot(), SignZero::plus, v->gradients(), v->signs()); });
  // one carry-save adder, two three-input operations, per word of 32 signs
  const auto majority_and_step = [v](const SignsIn& signs) {
    const Decision d = v->decision();
    majority_vote(v->ctx, {v->groups(), signs}, d);
    sign_step<float>(v->ctx, d.signs, v->delta(), v->x());
  };
  add("S10/" + name("majority_step"), bits + out + step, n / 32 * 2, [=] { majority_and_step(v->signs()); });
  add(name("majority_step_zeros"), 2 * bits + out + step, 2 * n / 32 * 2, [=] { majority_and_step(v->zeros()); });
  // one sum per worker and coordinate
  const auto weighted_and_step = [v](const auto& weights, bool learn) {
    const Decision d = v->decision();
    weighted_vote(v->ctx, {v->groups(), v->signs()}, weights, d,
                  {{}, learn, learn ? v->agreed() : VectorView<int64_t>{}});
    sign_step<float>(v->ctx, d.signs, v->delta(), v->x());
  };
  add(name("worker_weights_step"), bits + out + step, n, [=] {
    weighted_and_step(WorkerWeights{v->weight(), WeightGrid(1.0)}, false);
  });
  add(name("counted_weights_step"), 2 * n + bits + out + step, n, [=] {
    weighted_and_step(CountedWeights{v->counts(), v->table()}, false);
  });
  add(name("counted_weights_learn_step"), 4 * n + bits + out + step, 2 * n, [=] {
    weighted_and_step(CountedWeights{v->counts(), v->table()}, true);
  });
  add(name("count_agreements"), bits + out, n / 32 * 4, [v] {
    count_agreements(v->ctx, {v->groups(), v->signs()}, v->decision().signs, v->agreed());
  });
  add(name("learn_agreements"), 4 * n + bits + out, 2 * n, [v] {
    learn_agreements(v->ctx, {v->groups(), v->signs()}, v->decision().signs, CountedWeights{v->counts(), v->table()},
                     v->agreed());
  });
  // tiers: counts of a group, those of the groups below a hub summed, and decided
  add(name("vote_counts"), bits + 4 * p, n / 32 * 2, [v] {
    vote_counts(v->ctx, {v->groups(), v->signs()}, v->sums(1));
  });
  const double below = 4 * static_cast<double>(Voters::hubs) * p;
  add(name("forward_sums"), below + 4 * p, below / 4,
      [v] { forward_sums<int32_t>(v->ctx, v->hub(), v->sums(Voters::hubs), v->sums(1)); });
  add(name("sum_vote"), below + out, below / 4,
      [v] { sum_vote<int32_t>(v->ctx, v->hub(), v->sums(Voters::hubs), v->decision()); });
  // what adversaries do, and what a message gets wrong; a draw decides four coordinates
  add(name("flip_signs_coins"), 2 * bits, n * (philox / 4 + 2),
      [v] { flip_signs(v->ctx, v->rows(), v->slot(), v->halves(), v->signs()); });
  add(name("oppose_signs"), p / 4 + bits, n / 32 * 2,
      [v] { oppose_signs(v->ctx, v->decision().signs, v->nodes(), v->chosen(), v->signs()); });
  add(name("sign_errors"), bits + 8 * p, 2 * n, [v] { sign_errors(v->ctx, v->signs(), v->reference(), v->errors()); });
  add(name("count_errors"), bits + p / 4, n / 32 * 4, [v, P] {
    const SignsOut decided = v->decision().signs;
    count_errors(v->ctx, v->signs(), {P, decided.positive, {}}, v->classes(), v->wrong());
  });
}

}  // namespace

void add_votes() { add_for(sized(1024, 5), sized(199210, 100)); }

}  // namespace orrery::bench
