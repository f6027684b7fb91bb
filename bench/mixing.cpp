// Workers mixed over a graph together with the gradient step: sparse graphs beside the bytes that must move, and beside the dense product.
#include <fmt/format.h>

#include <map>
#include <numeric>

#include "bench/harness.hpp"
#include "kernels/combine_banks.hpp"
#include "kernels/mix_step.hpp"

namespace orrery::bench {
namespace {

enum class Kind { ring, exponential, complete };

// node k averages itself and its neighbours
std::vector<int64_t> sources_of(int64_t W, Kind kind, int64_t k) {
  if (kind == Kind::ring) return {(k + W - 1) % W, k, (k + 1) % W};
  std::vector<int64_t> from{k};
  for (int64_t hop = 1; kind == Kind::exponential && hop < W; hop *= 2) from.push_back((k + hop) % W);
  if (kind == Kind::complete) from.resize(static_cast<size_t>(W)), std::iota(from.begin(), from.end(), 0);
  return from;
}

// W workers of one replica. Gigabytes in all: each part is made by the first case that runs on it.
struct Mixers {
  struct Graph {
    Buffer<int64_t> begin, source;
    Buffer<double> weight;
    std::unique_ptr<MixPlan<float>> plan;
  };
  const Context& ctx = context();
  const int64_t W, P;

  Mixers(int64_t workers, int64_t parameters) : W(workers), P(parameters) {}

  const MixPlan<float>& plan(Kind kind, MixPath path) {
    Graph& g = graphs_[{kind, path}];
    if (g.plan) return *g.plan;
    std::vector<int64_t> begin{0}, source;
    std::vector<double> weight;
    for (int64_t k = 0; k < W; ++k) {
      const auto from = sources_of(W, kind, k);
      source.insert(source.end(), from.begin(), from.end());
      weight.insert(weight.end(), from.size(), 1.0 / static_cast<double>(from.size()));
      begin.push_back(static_cast<int64_t>(source.size()));
    }
    g.begin = {ctx, begin}, g.source = {ctx, source}, g.weight = {ctx, weight};
    g.plan =
        std::make_unique<MixPlan<float>>(ctx, MixTable{g.begin.view(), g.source.view(), g.weight.view()}, W, P, path);
    return *g.plan;
  }
  void make() {
    if (w_.size() > 0) return;
    w_ = {ctx, W * P}, g_ = {ctx, W * P};
    fill(w_), fill(g_);
    eta_ = {ctx, std::vector<double>(static_cast<size_t>(W), 1e-4)};
  }
  void combine() {
    make();
    combine_banks<float>(ctx, eta_.view(), {{1, w_.view(W, P)}, {-1, g_.view(W, P), 1}}, w_.view(W, P));
  }
  void step(Kind kind, MixPath path, MixForm form) {
    make();
    mix_step<float>(ctx, plan(kind, path), form, eta_.view(), g_.view(W, P), w_.view(W, P));
  }

 private:
  Buffer<float> w_, g_;
  Buffer<double> eta_;
  std::map<std::pair<Kind, MixPath>, Graph> graphs_;
};

// `goal`: the ring alone, beside the dense product, as goal S11 asks; that product takes seconds on the CPU.
void add_for(int64_t W, int64_t P, const char* goal) {
  const Made<Mixers> m(W, P);
  const bool only_ring = *goal != 0;
  const double n = static_cast<double>(W) * static_cast<double>(P);
  const auto add_case = [&](const char* name, Kind kind, MixForm form, MixPath path = MixPath::by_cost) {
    const bool steps = form != MixForm::combine, matrix = path == MixPath::dense || kind == Kind::complete;
    const double links = static_cast<double>(matrix ? W : sources_of(W, kind, 0).size());
    add(fmt::format("{}{}/W:{}/P:{}", goal, name, W, P), (steps ? 12 : 8) * n, (2 * links + (steps ? 2 : 0)) * n,
        [=] { m->step(kind, path, form); });
  };
  if (!only_ring) {
    add_case("mix_combine_ring", Kind::ring, MixForm::combine);
    add_case("mix_consensus_ring", Kind::ring, MixForm::consensus);
  }
  add_case("mix_diffusion_ring", Kind::ring, MixForm::diffusion);
  if (only_ring) return add_case("mix_diffusion_ring_dense", Kind::ring, MixForm::diffusion, MixPath::dense);
  add_case("mix_diffusion_exponential", Kind::exponential, MixForm::diffusion);
  add_case("mix_diffusion_complete", Kind::complete, MixForm::diffusion);
  add(fmt::format("combine_banks_2/W:{}/P:{}", W, P), 12 * n, 3 * n, [=] { m->combine(); });
}

}  // namespace

void add_mixing() {
  if (small()) return add_for(16, 100, ""), add_for(16, 100, "S11/");
  add_for(1024, 199210, "");
  add_for(4096, 7850, "");
  add_for(4096, context().backend == Backend::cpu ? 7850 : 199210, "S11/");
}

}  // namespace orrery::bench
