#include "runtime/voting/decoder.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/nvtx.hpp"
#include "runtime/voting/wire.hpp"

namespace orrery {
namespace {

constexpr int64_t most_rounds = 65535;  // that a 16-bit counter can tell apart: then counters and C stay as they are

// Levels at which somebody votes with a weight of its own.
int voting_levels(const NetworkSpec& n, const VoteSpec& s) {
  return s.forward == VoteSpec::Forward::signs ? std::max(1, voting_tiers(n)) : 1;
}

// one kind of groups of all lanes, members offset by the voters of the lanes before
template <class F>
DeviceGroups groups_of(const Context& ctx, const Population& p, size_t first_lane, size_t lanes, F of) {
  std::vector<Groups> all;
  std::vector<const Groups*> pointers;
  std::vector<int64_t> first;
  int64_t before = 0;
  for (size_t i = 0; i < lanes; ++i) all.push_back(of(*p.lanes[first_lane + i].network));
  for (const Groups& g : all) {
    pointers.push_back(&g);
    first.push_back(before);
    before += static_cast<int64_t>(g.member.size());
  }
  return DeviceGroups(ctx, pointers, first);
}

}  // namespace

Decoder::Decoder(const Context& ctx, const Population& p, VoteSpec spec, size_t first_lane, size_t lanes,
                 int64_t parameters)
    : ctx_(ctx), spec_(std::move(spec)), parameters_(parameters), words_(sign_words(parameters)) {
  const NetworkSpec& network = p.lanes[first_lane].network->spec();
  const int tiers = voting_tiers(network), top = tiers - 1, levels = voting_levels(network, spec_);
  const auto names = [&](int tier, int level, Buffer<uint64_t>& seed, Buffer<int32_t>& index) {
    std::vector<uint64_t> seeds;
    std::vector<int32_t> indices;
    for (size_t i = 0; i < lanes; ++i) {
      const int64_t nodes = tier < 0 ? 1 : p.lanes[first_lane + i].network->tiers()[static_cast<size_t>(tier)].nodes();
      for (int64_t k = 0; k < nodes; ++k) {
        seeds.push_back(p.lanes[first_lane + i].seed);
        indices.push_back(static_cast<int32_t>(k) + (level << 24));  // no two nodes toss the same coins
      }
    }
    seed = Buffer<uint64_t>(ctx, seeds);
    index = Buffer<int32_t>(ctx, indices);
  };
  names(top, 0, root_seed_, root_index_);
  for (int l = 0; l < levels; ++l) {
    Level level;
    const int tier = tiers == 0 ? -1 : l;
    level.groups =
        groups_of(ctx, p, first_lane, lanes, [&](const Network& n) { return descendants_of(n, tier, l - 1); });
    level.under_root =
        groups_of(ctx, p, first_lane, lanes, [&](const Network& n) { return descendants_of(n, top, l - 1); });
    level.nodes = level.groups.nodes();
    level.voters = level.groups.table().member.size();
    const bool last = tier == top;
    if (!last) {
      names(tier, l + 1, level.seed, level.index);
      level.positive = Buffer<uint32_t>(ctx, level.nodes * words_);
      if (spec_.sign_zero == SignZero::zero) level.zero = Buffer<uint32_t>(ctx, level.nodes * words_);
    }

    // weights: of the largest vote that any sum may hold
    std::vector<double> weights(static_cast<size_t>(level.voters), 1.0);
    level.grid = llr_grid(p.workers, spec_.rule);
    if (spec_.vote == Vote::sqrt_batch) {
      double bound = 1;
      for (size_t i = 0; i < lanes; ++i) {
        const Lane& lane = p.lanes[first_lane + i];
        const auto each = level.voters / static_cast<int64_t>(lanes);
        std::vector<double> samples(static_cast<size_t>(each), 0.0);
        for (int64_t w = 0; w < p.workers; ++w) {
          const auto r = static_cast<size_t>(lane.first_row + w);
          const int64_t voter =
              l == 0 ? w : lane.network->tiers()[static_cast<size_t>(l) - 1].node_of[static_cast<size_t>(w)];
          samples[static_cast<size_t>(voter)] += static_cast<double>(p.batch[r] > 0   ? p.batch[r]
                                                                     : p.size.empty() ? 1
                                                                                      : p.size[r]);
        }
        double sum = 0;
        for (size_t v = 0; v < samples.size(); ++v)
          sum += weights[static_cast<size_t>(static_cast<int64_t>(i) * each) + v] = std::sqrt(samples[v]);
        bound = std::max(bound, sum);
      }
      level.grid = WeightGrid(2 * bound);
    }
    level.weights = Buffer<double>(ctx, weights);
    level.learned.assign(weights.size(), 0.0);
    if (spec_.per_coordinate() && spec_.forgetting >= 1) {
      level.counted = Buffer<uint16_t>(ctx, level.voters * parameters);
      level.table = Buffer<double>(ctx, llr_table(0, spec_.rule, level.grid));
    }
    if (spec_.per_coordinate() && spec_.forgetting < 1) {
      level.fading = Buffer<float>(ctx, level.voters * parameters);
      level.rounds = Buffer<double>(ctx, level.voters);
    }
    if (l > 0) level.agreed = Buffer<int64_t>(ctx, level.voters);
    levels_.push_back(std::move(level));
  }
  if (levels > 1 || tiers <= 1) return;

  // sums go up from the first tier to the last
  const bool counts = spec_.vote == Vote::majority || spec_.learns();  // the warm-up counts
  for (int k = 0; k < tiers; ++k) {
    if (k > 0)
      above_.push_back(
          groups_of(ctx, p, first_lane, lanes, [&](const Network& n) { return descendants_of(n, k, k - 1); }));
    const int64_t nodes = k == 0 ? levels_[0].nodes : above_.back().nodes();
    if (k + 1 == tiers) break;
    counts_.emplace_back(ctx, counts ? nodes * parameters : 0);
    scores_.emplace_back(ctx, spec_.vote == Vote::majority ? 0 : nodes * parameters);
  }
}

double Decoder::rounds_seen() const {
  const auto t = static_cast<double>(rounds_);
  return spec_.forgetting >= 1 ? t : (1 - std::pow(spec_.forgetting, t)) / (1 - spec_.forgetting);
}

// One weight per voter from its agreements over all coordinates so far; 1 before the first round.
std::vector<double> Decoder::worker_weights(const Level& l) const {
  std::vector<double> w;
  for (const double agreements : l.learned)
    w.push_back(pooled_weight(agreements, static_cast<double>(parameters_) * rounds_seen(), spec_.rule));
  return w;
}

Decoder::Weighing Decoder::weighing() const {
  const bool warm = rounds_ < spec_.warmup;
  switch (spec_.vote) {
    case Vote::sqrt_batch:
    case Vote::genie: return Weighing::by_worker;
    case Vote::fv_worker: return warm ? Weighing::equal : Weighing::by_worker;
    case Vote::fd:
      if (warm) return Weighing::by_worker;
      break;
    case Vote::fv:
    case Vote::fv_nonneg:
      if (warm) return Weighing::equal;
      break;
    default: return Weighing::equal;
  }
  return spec_.forgetting >= 1 ? Weighing::counted : Weighing::fading;
}

SignsOut Decoder::own_planes(const Level& l) const {
  const auto plane = [&](const Buffer<uint32_t>& b) {
    return MatrixView<uint32_t>(b.data(), l.nodes, words_, ctx_.backend);
  };
  return {parameters_, plane(l.positive), l.zero.size() > 0 ? plane(l.zero) : MatrixView<uint32_t>{}};
}

Decision Decoder::decision(const Level& l, const SignsOut& out, Slot slot) const {
  return {out, spec_.sign_zero, l.seed.size() > 0 ? l.seed.view() : root_seed_.view(),
          l.index.size() > 0 ? l.index.view() : root_index_.view(), slot};
}

template <class F>
void Decoder::with_counts(Level& l, F f) {
  if (spec_.forgetting >= 1)
    f(CountedWeights{l.counted.view(l.voters, parameters_), l.table.view(1, l.table.size())});
  else
    f(FadingWeights{l.fading.view(l.voters, parameters_), l.rounds.view(), spec_.forgetting, spec_.rule, l.grid});
}

// What the voters of a level weigh in the round that comes.
void Decoder::ask_genie(Level& l, const SignsIn& voters, const SignsIn& reference, VectorView<int64_t> agreed) {
  count_agreements(ctx_, {l.under_root.table(), voters}, reference, agreed);
  std::vector<double> w;
  for (const int64_t n : to_host(ctx_, VectorView<const int64_t>(agreed)))
    w.push_back(pooled_weight(static_cast<double>(n), static_cast<double>(parameters_), spec_.rule));
  l.weights.assign(ctx_, w);
}

void Decoder::vote(Level& l, const Ballots& ballots, const Decision& out, const VoteRecord& record) {
  switch (weighing()) {
    case Weighing::equal: majority_vote(ctx_, ballots, out); break;
    case Weighing::by_worker:
      weighted_vote(ctx_, ballots, WorkerWeights{l.weights.view(), l.grid}, out, {.scores = record.scores});
      break;
    default: with_counts(l, [&](const auto& weights) { weighted_vote(ctx_, ballots, weights, out, record); });
  }
}

void Decoder::learn_from(Level& l, const SignsIn& voters, const SignsIn& decided, VectorView<int64_t> agreed,
                         bool learn) {
  const Ballots ballots{l.under_root.table(), voters};
  if (learn && spec_.per_coordinate() && (spec_.forgetting < 1 || rounds_ < most_rounds))
    with_counts(l, [&](const auto& weights) { learn_agreements(ctx_, ballots, decided, weights, agreed); });
  else
    count_agreements(ctx_, ballots, decided, agreed);
}

// The first tier's nodes add up their workers' votes, the tiers above the sums; the last one decides.
void Decoder::vote_by_sums(const SignsIn& workers, const Decision& last) {
  Level& l = levels_[0];
  const Ballots ballots{l.groups.table(), workers};
  const auto up = [&](auto& sums) {  // sums[k]: of the nodes of tier k
    for (size_t k = 1; k < sums.size(); ++k)
      forward_sums<std::remove_cvref_t<decltype(sums[0].view()[0])>>(
          ctx_, above_[k - 1].table(), sums[k - 1].view(sums[k - 1].size() / parameters_, parameters_),
          sums[k].view(sums[k].size() / parameters_, parameters_));
    const auto& below = sums.back();
    sum_vote<std::remove_cvref_t<decltype(below.view()[0])>>(ctx_, above_.back().table(),
                                                             below.view(below.size() / parameters_, parameters_), last);
  };
  if (weighing() == Weighing::equal) {
    vote_counts(ctx_, ballots, counts_[0].view(l.nodes, parameters_));
    up(counts_);
  } else {
    vote(l, ballots, decision(l, own_planes(l), last.slot), {.scores = scores_[0].view(l.nodes, parameters_)});
    up(scores_);
  }
}

void Decoder::decide(Slot slot, const SignsIn& workers, const SignsIn& reference, bool learn, const SignsOut& out,
                     VectorView<int64_t> agreed) {
  const NvtxRange range("vote");
  const bool by_worker = spec_.vote == Vote::fd || spec_.vote == Vote::fv_worker;
  for (Level& l : levels_) {  // what the rounds so far say
    if (by_worker) l.weights.assign(ctx_, worker_weights(l));
    if (!spec_.per_coordinate()) continue;
    const int64_t seen = std::min(rounds_, most_rounds);
    if (spec_.forgetting >= 1 && weighing() == Weighing::counted && l.table.size() != seen + 1)
      l.table = Buffer<double>(ctx_, llr_table(seen, spec_.rule, l.grid));
    else if (spec_.forgetting < 1)
      l.rounds.assign(ctx_, std::vector<double>(static_cast<size_t>(l.voters), rounds_seen()));
  }
  // the whole vote in one pass where one server sees everybody, learns, and is past the warm-up
  const bool one_server = levels_.size() == 1 && above_.empty();
  const bool one_pass = one_server && learn && spec_.per_coordinate() && rounds_ >= spec_.warmup &&
                        (spec_.forgetting < 1 || rounds_ < most_rounds);

  std::vector<SignsIn> voters{workers};
  for (size_t k = 0; k < levels_.size(); ++k) {
    Level& l = levels_[k];
    const VectorView<int64_t> agreements = k == 0 ? agreed : l.agreed.view();
    if (spec_.vote == Vote::genie) ask_genie(l, voters[k], reference, agreements);
    const bool last = k + 1 == levels_.size();
    if (last && !above_.empty()) {
      vote_by_sums(workers, {out, spec_.sign_zero, root_seed_.view(), root_index_.view(), slot});
      break;
    }
    const SignsOut decided = last ? out : own_planes(l);
    vote(l, {l.groups.table(), voters[k]}, decision(l, decided, slot),
         one_pass ? VoteRecord{.learn = true, .agreed = agreements} : VoteRecord{});
    if (!last) voters.push_back(decided);
  }
  for (size_t k = 0; k < levels_.size(); ++k) {
    Level& l = levels_[k];
    const VectorView<int64_t> agreements = k == 0 ? agreed : l.agreed.view();
    if (!one_pass) learn_from(l, voters[k], out, agreements, learn);
    if (!by_worker || !learn) continue;
    const auto counts = to_host(ctx_, VectorView<const int64_t>(agreements));
    for (size_t i = 0; i < counts.size(); ++i)
      l.learned[i] = spec_.forgetting * l.learned[i] + static_cast<double>(counts[i]);
  }
  if (spec_.per_coordinate()) ctx_.synchronize();  // the tables may be replaced
  if (learn) ++rounds_;
}

int64_t Decoder::bytes(const Network& network, const VoteSpec& s, int64_t parameters) {
  const NetworkSpec& n = network.spec();
  const int tiers = voting_tiers(n), levels = voting_levels(n, s);
  const int64_t planes = s.sign_zero == SignZero::zero ? 2 : 1, words = sign_words(parameters);
  const auto nodes = [&](int tier) {
    return tier < 0 ? (tiers == 0 ? int64_t{1} : n.workers) : network.tiers()[static_cast<size_t>(tier)].nodes();
  };
  int64_t all = 0;
  for (int l = 0; l < levels; ++l) {
    const int64_t voters = l == 0 ? n.workers : nodes(l - 1);
    all += voters * (s.per_coordinate() ? parameters * (s.forgetting < 1 ? 4 : 2) : 0) + voters * 48;
    if (tiers > 0 && l + 1 < tiers) all += nodes(l) * words * planes * 4;
  }
  if (levels == 1)
    for (int k = 0; k + 1 < tiers; ++k)
      all += nodes(k) * parameters *
             ((s.vote == Vote::majority || s.learns() ? 4 : 0) + (s.vote == Vote::majority ? 0 : 8));
  return all;
}

}  // namespace orrery
