// Tier averages, mixing of the nodes' means, and who takes part.
#include <fmt/format.h>

#include <numeric>

#include "bench/harness.hpp"
#include "kernels/group_mean.hpp"
#include "kernels/participation.hpp"

namespace orrery::bench {
namespace {

// Groups of equal size below `nodes` nodes that lie on a ring.
struct Bank {
  const Context& ctx = context();
  Buffer<float> x, means;
  Buffer<int64_t> begin_, member_, mix_begin_, source_;
  Buffer<double> weight, mix_weight;
  GroupTable groups;
  MixTable ring;

  Bank(int64_t W, int64_t P, int64_t nodes) {
    std::vector<int64_t> begin(static_cast<size_t>(nodes) + 1), member(static_cast<size_t>(W)), mix_begin(begin.size()),
        source;
    std::iota(member.begin(), member.end(), 0);
    for (int64_t i = 0; i <= nodes; ++i)
      begin[static_cast<size_t>(i)] = i * W / nodes, mix_begin[static_cast<size_t>(i)] = 3 * i;
    for (int64_t i = 0; i < nodes; ++i)
      for (int64_t j : {(i + nodes - 1) % nodes, i, (i + 1) % nodes}) source.push_back(j);
    x = Buffer<float>(ctx, W * P);
    means = Buffer<float>(ctx, nodes * P);
    fill(x), fill(means);
    begin_ = {ctx, begin};
    member_ = {ctx, member};
    weight = Buffer<double>(
        ctx, std::vector<double>(static_cast<size_t>(W), static_cast<double>(nodes) / static_cast<double>(W)));
    mix_begin_ = {ctx, mix_begin};
    source_ = {ctx, source};
    mix_weight = Buffer<double>(ctx, std::vector<double>(source.size(), 1.0 / 3));
    groups = {nodes, (W + nodes - 1) / nodes, begin_.view(), member_.view(), weight.view()};
    ring = {mix_begin_.view(), source_.view(), mix_weight.view()};
  }
};

// Averages and mixing of a (W, P) bank in groups of equal size.
void add_for(int64_t W, int64_t P, int64_t nodes, const char* goal = "") {
  const Made<Bank> k(W, P, nodes);
  const double elements = static_cast<double>(W) * static_cast<double>(P),
               on_nodes = static_cast<double>(nodes) * static_cast<double>(P);
  const auto name = [&](const char* kernel) {
    return fmt::format("{}{}/W:{}/nodes:{}/P:{}", goal, kernel, W, nodes, P);
  };
  add(name("group_average"), 8 * elements, 2 * elements,
      [=] { group_average<float>(k->ctx, k->groups, k->x.view(W, P)); });
  add(name("group_mean"), 4 * elements + 4 * on_nodes, 2 * elements,
      [=] { group_mean<float>(k->ctx, k->groups, k->x.view(W, P), k->means.view(nodes, P)); });
  if (*goal) return;
  add(name("group_mix_ring"), 4 * on_nodes + 4 * elements, 6 * on_nodes,
      [=] { group_mix<float>(k->ctx, k->groups, k->ring, k->means.view(nodes, P), k->x.view(W, P)); });
  add(name("group_clear"), 4 * elements, 0, [=] { group_clear<float>(k->ctx, k->groups, k->x.view(W, P)); });
}

// Workers of whom half take part, `nodes` groups of equal size.
struct Drawn {
  const Context& ctx = context();
  Buffer<int64_t> begin, member, count, period, clock;
  Buffer<int32_t> index;
  Buffer<uint64_t> seed;
  Buffer<uint32_t> words;
  Buffer<uint8_t> present;
  Buffer<double> weight, scale, live;

  Drawn(int64_t W, int64_t nodes) {
    std::vector<int64_t> begins(static_cast<size_t>(nodes) + 1), members(static_cast<size_t>(W));
    std::vector<int32_t> indices(static_cast<size_t>(nodes));
    std::iota(members.begin(), members.end(), 0);
    std::iota(indices.begin(), indices.end(), 0);
    for (int64_t i = 0; i <= nodes; ++i) begins[static_cast<size_t>(i)] = i * W / nodes;
    begin = {ctx, begins};
    member = {ctx, members};
    count = Buffer<int64_t>(ctx, std::vector<int64_t>(static_cast<size_t>(nodes), W / nodes / 2));
    period = Buffer<int64_t>(ctx, std::vector<int64_t>(static_cast<size_t>(nodes), 10));
    clock = Buffer<int64_t>(ctx, 1);
    index = {ctx, indices};
    seed = Buffer<uint64_t>(ctx, W);
    words = Buffer<uint32_t>(ctx, W);
    present = Buffer<uint8_t>(ctx, W);
    weight = Buffer<double>(
        ctx, std::vector<double>(static_cast<size_t>(W), static_cast<double>(nodes) / static_cast<double>(W)));
    scale = Buffer<double>(ctx, W);
    live = Buffer<double>(ctx, W);
  }
};

// Half of the workers of each group drawn, and the weights of one tier's table.
void add_participation(int64_t W, int64_t nodes) {
  const Made<Drawn> k(W, nodes);
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

}  // namespace

void add_averages() {
  if (small()) return add_for(6, 50, 2), add_for(8, 100, 1, "S9/"), add_participation(20, 2);
  add_for(1024, 7850, 1);
  add_for(1024, 7850, 32);
  add_for(256, 199210, 1);
  add_for(256, 199210, 256);
  add_for(1024, 199210, 1, "S9/");  // the global mean of goal S9
  add_participation(1000, 10);
  add_participation(int64_t{1} << 20, 1000);
}

}  // namespace orrery::bench
