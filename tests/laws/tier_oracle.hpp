// Tiered SGD with compressed differences, written out in float64 one worker, one node and one number after the other, from the formulas of
// docs/maths.md; draws come from their definition. Nothing here is shared with the code under test but the streams.
#pragma once

#include <functional>
#include <numeric>
#include <optional>

#include "tests/laws/run_helpers.hpp"

namespace orrery::test {

using Numbers = std::vector<double>;

// What a message becomes: x, and who sends it when (level's sender, number of the message, which message of the slot).
struct Sender {
  uint64_t seed = 0;
  int64_t index = 0, number = 0, repeat = 0;
};
using TierMap = std::function<Numbers(const Numbers&, const Sender&)>;

inline Numbers top_of(const Numbers& x, size_t k) {  // of equal ones the first
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return std::abs(x[a]) > std::abs(x[b]); });
  Numbers q(x.size());
  for (size_t i = 0; i < k; ++i) q[order[i]] = x[order[i]];
  return q;
}
inline TierMap top_map(size_t k) {
  return [k](const Numbers& x, const Sender&) { return top_of(x, k); };
}
inline TierMap qsgd_map(double levels) {
  return [levels](const Numbers& x, const Sender& who) {
    double norm = 0;
    for (const double v : x) norm += v * v;
    norm = std::sqrt(norm);
    const Stream u(who.seed, Draw::compression, static_cast<uint32_t>(who.index),
                   static_cast<uint64_t>(who.number) | static_cast<uint64_t>(who.repeat) << 40);
    Numbers q(x.size());
    for (size_t j = 0; j < x.size(); ++j) {
      if (norm == 0) continue;
      const double y = std::abs(x[j]) / (norm / levels), whole = std::floor(y);
      const double level = whole + (u.bits(static_cast<uint32_t>(j)) / 4294967296.0 < y - whole ? 1 : 0);
      q[j] = std::copysign(norm / levels * level, x[j]);
    }
    return q;
  };
}
// Block floor(t / 1) mod B of the coordinates, t the number of the message.
inline TierMap block_map(size_t blocks) {
  return [blocks](const Numbers& x, const Sender& who) {
    const size_t b = static_cast<size_t>(who.number) % blocks;
    Numbers q(x.size());
    for (size_t j = b * x.size() / blocks; j < (b + 1) * x.size() / blocks; ++j) q[j] = x[j];
    return q;
  };
}

struct TierNet {
  std::vector<std::vector<int64_t>> node_of;  // per tier: the node of every child
  std::vector<int64_t> nodes;                 // per tier
  std::vector<int64_t> first_period;          // per node of the first tier
  std::vector<int64_t> period;                // per tier; of the first the shortest
  Numbers weight;                             // per worker
  std::vector<int64_t> participants = {};     // per node of the first tier; empty: all
  std::vector<Numbers> h = {};                // of a graph among the top nodes, h[from][to]
  int64_t graph_period = 0;
  Numbers rate = {};              // per worker; empty: 1
  std::vector<TierMap> up, down;  // per tier; empty functions: whole models
  bool error_feedback = true;
};

// Models after the run; messages: (tiers) how many were sent up and down, one for every link.
struct TierOracle {
  Numbers models;  // (W, P)
  std::vector<std::pair<int64_t, int64_t>> messages;
};

inline std::vector<uint8_t> present_at(const Trial& s, const TierNet& n, int64_t t) {
  if (n.participants.empty()) return std::vector<uint8_t>(static_cast<size_t>(s.workers), 1);
  std::vector<uint8_t> present(static_cast<size_t>(s.workers));
  for (int64_t k = 0; k < n.nodes[0]; ++k) {
    std::vector<size_t> members;
    for (size_t i = 0; i < n.node_of[0].size(); ++i)
      if (n.node_of[0][i] == k) members.push_back(i);
    const Stream stream(static_cast<uint64_t>(s.seed), Draw::participation, static_cast<uint32_t>(k),
                        static_cast<uint64_t>(t / n.first_period[static_cast<size_t>(k)]));
    std::vector<size_t> order(members.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return stream.bits(static_cast<uint32_t>(a)) < stream.bits(static_cast<uint32_t>(b));
    });
    for (int64_t c = 0; c < n.participants[static_cast<size_t>(k)]; ++c)
      present[members[order[static_cast<size_t>(c)]]] = 1;
  }
  return present;
}

inline TierOracle simulate_tiers(const Trial& s, const TierNet& n, const std::string& device) {
  const Oracle gradients(s, device);
  const auto P = static_cast<size_t>(gradients.parameters()), W = static_cast<size_t>(s.workers);
  const size_t tiers = n.nodes.size();
  using Rows = std::vector<Numbers>;
  const Numbers start(P, s.model == "softmax" ? 0.0 : 0.25);
  Rows w(W, start);
  std::vector<Rows> reference, kept_up, kept_down;
  for (size_t l = 0; l < tiers; ++l) {
    reference.emplace_back(n.nodes[l], start);
    kept_up.emplace_back(n.node_of[l].size(), Numbers(P));
    kept_down.emplace_back(n.nodes[l], Numbers(P));
  }
  TierOracle out;
  out.messages.resize(tiers);
  Numbers mass = n.weight;  // of the children of a tier, tier by tier
  std::vector<Numbers> masses{mass};
  for (size_t l = 0; l < tiers; ++l) {
    Numbers sum(static_cast<size_t>(n.nodes[l]));
    for (size_t c = 0; c < n.node_of[l].size(); ++c) sum[static_cast<size_t>(n.node_of[l][c])] += masses[l][c];
    masses.push_back(sum);
  }

  for (int64_t t = 0; t < s.steps; ++t) {
    const auto present = present_at(s, n, t);
    for (size_t i = 0; i < W; ++i) {
      if (!present[i]) continue;
      if (!n.rate.empty() && !steps_in(s.seed, static_cast<int64_t>(i), t, n.rate[i])) continue;
      const auto g = gradients.gradient(static_cast<int64_t>(i), t, w[i].data());
      for (size_t j = 0; j < P; ++j) w[i][j] -= s.learning_rate * g[j];
    }
    const int64_t done = t + 1;
    const bool graph = n.graph_period > 0 && done % n.graph_period == 0;
    size_t acting = graph ? tiers : 0;  // tiers 0 ... acting - 1
    for (size_t l = 1; l < tiers && !graph; ++l)
      if (done % n.period[l] == 0) acting = l + 1;
    const bool all = acting > 0;
    const auto node_acts = [&](size_t k) { return all || done % n.first_period[k] == 0; };
    bool some = all;
    for (size_t k = 0; k < n.first_period.size(); ++k) some = some || node_acts(k);
    if (!some) continue;
    acting = std::max<size_t>(acting, 1);

    // upward
    Rows child = w, model;
    for (size_t l = 0; l < acting; ++l) {
      model = Rows(static_cast<size_t>(n.nodes[l]), Numbers(P));
      Numbers total(model.size());
      for (size_t c = 0; c < child.size(); ++c) {
        const auto k = static_cast<size_t>(n.node_of[l][c]);
        if (l == 0 && (!present[c] || !node_acts(k))) continue;
        Numbers sent = child[c];
        if (n.up[l]) {
          Numbers e(P);
          for (size_t j = 0; j < P; ++j)
            e[j] = (n.error_feedback ? kept_up[l][c][j] : 0) + (child[c][j] - reference[l][k][j]);
          sent = n.up[l](e, {static_cast<uint64_t>(s.seed), static_cast<int64_t>(c), done / n.period[l] - 1,
                             static_cast<int64_t>(2 * l)});
          for (size_t j = 0; j < P; ++j) kept_up[l][c][j] = e[j] - sent[j];
        }
        ++out.messages[l].first;
        total[k] += masses[l][c];
        for (size_t j = 0; j < P; ++j) model[k][j] += masses[l][c] * sent[j];
      }
      for (size_t k = 0; k < model.size(); ++k)
        for (size_t j = 0; j < P; ++j)
          model[k][j] = (total[k] > 0 ? model[k][j] / total[k] : 0) + (n.up[l] ? reference[l][k][j] : 0) +
                        (n.down[l] && n.error_feedback ? kept_down[l][k][j] : 0);
      child = model;
    }
    if (graph) {
      Rows mixed(model.size(), Numbers(P));
      for (size_t from = 0; from < model.size(); ++from)
        for (size_t to = 0; to < model.size(); ++to)
          for (size_t j = 0; j < P; ++j) mixed[to][j] += n.h[from][to] * model[from][j];
      model = mixed;
    }

    // downward
    for (size_t l = acting; l-- > 0;) {
      for (size_t k = 0; k < model.size(); ++k) {
        if (l == 0 && !node_acts(k)) continue;
        for (size_t c = 0; c < n.node_of[l].size(); ++c)
          if (n.node_of[l][c] == static_cast<int64_t>(k) && (n.down[l] || l > 0 || present[c]))
            ++out.messages[l].second;
        if (!n.down[l]) {
          reference[l][k] = model[k];
          continue;
        }
        Numbers f(P);
        for (size_t j = 0; j < P; ++j) f[j] = model[k][j] - reference[l][k][j];
        const Numbers sent = n.down[l](f, {static_cast<uint64_t>(s.seed), static_cast<int64_t>(k),
                                           done / n.period[l] - 1, static_cast<int64_t>(2 * l + 1)});
        for (size_t j = 0; j < P; ++j) kept_down[l][k][j] = f[j] - sent[j], reference[l][k][j] += sent[j];
      }
      Rows below(n.node_of[l].size());
      for (size_t c = 0; c < below.size(); ++c) below[c] = reference[l][static_cast<size_t>(n.node_of[l][c])];
      if (l > 0) {
        model = below;
        continue;
      }
      for (size_t i = 0; i < W; ++i)
        if (node_acts(static_cast<size_t>(n.node_of[0][i]))) w[i] = below[i];
    }
  }
  for (const auto& row : w) out.models.insert(out.models.end(), row.begin(), row.end());
  return out;
}

}  // namespace orrery::test
