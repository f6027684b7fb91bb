#include "runtime/compressed_tiers/bits.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/compressed_tiers/tables.hpp"
#include "runtime/network/mixing.hpp"

namespace orrery {
namespace {

int64_t length(const std::shared_ptr<const Compressor>& c, const BankShape& shape, int64_t real_bits, int64_t number) {
  return c ? c->bits(shape, real_bits, number) : shape.parameters * real_bits;
}

// Workers below the acting nodes of the first tier: those that send, and all.
std::pair<int64_t, int64_t> workers_of(const Network& network, const Action& action) {
  const NetworkSpec& n = network.spec();
  if (action.classes.empty() && n.participants.empty()) return {n.workers, n.workers};
  const Groups& groups = network.tiers()[0];
  int64_t sending = 0, all = 0;
  for (int64_t k = 0; k < groups.nodes(); ++k) {
    if (!acts(n.tiers[0], action, k)) continue;
    const auto node = static_cast<size_t>(k);
    const int64_t below = groups.begin[node + 1] - groups.begin[node];
    sending += n.participants.empty() ? below : n.participants[node];
    all += below;
  }
  return {sending, all};
}

std::string mebibytes(int64_t bytes) { return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20)); }

}  // namespace

void charge_tier_messages(Ledger& ledger, const Network& network, const TierMessages& m, const BankShape& shape,
                          int64_t real_bits, const Action& action, int64_t steps_done) {
  if (action.kind == Action::Kind::none) return;
  const NetworkSpec& n = network.spec();
  const bool graph = action.kind == Action::Kind::graph;
  const size_t acting = graph ? n.tiers.size() : static_cast<size_t>(action.tier) + 1;
  const auto units = message_units(n);
  for (size_t l = 0; l < acting; ++l) {
    const int64_t number = steps_done / units[l] - 1;
    const auto [sending, all] =
        l == 0 ? workers_of(network, action) : std::pair{n.tiers[l - 1].nodes, n.tiers[l - 1].nodes};
    ledger.links[l].up += sending * length(m.tiers[l].up, shape, real_bits, number);
    ledger.links[l].down += (m.tiers[l].down ? all : sending) * length(m.tiers[l].down, shape, real_bits, number);
  }
  if (!graph) return;
  const int64_t bits =
      directed_links(network.mixing()[static_cast<size_t>(action.phase)]) * shape.parameters * real_bits;
  ledger.links.back().up += bits;
  ledger.links.back().down += bits;
}

Ledger tier_ledger_after(const Network& network, const TierMessages& m, const BankShape& shape, int64_t real_bits,
                         int64_t steps) {
  const Schedule schedule(network.spec());
  Ledger ledger(network.spec());
  for (int64_t t = schedule.next(0); t <= steps; t = schedule.next(t))
    charge_tier_messages(ledger, network, m, shape, real_bits, schedule.after(t), t);
  return ledger;
}

std::vector<std::pair<int64_t, int64_t>> tier_message_bits(const TierMessages& m, const BankShape& shape,
                                                           int64_t real_bits) {
  std::vector<std::pair<int64_t, int64_t>> all;
  for (const auto& tier : m.tiers)
    all.emplace_back(length(tier.up, shape, real_bits, 0), length(tier.down, shape, real_bits, 0));
  return all;
}

TierBytes tier_bytes(const TierMessages& m, const NetworkSpec& n, int64_t replicas, Backend backend,
                     const BankShape& shape, int64_t size) {
  TierBytes bytes;
  const int64_t row = shape.parameters * size;
  int64_t children = replicas * n.workers;
  for (size_t l = 0; l < m.tiers.size(); ++l) {
    const auto& tier = m.tiers[l];
    const int64_t nodes = replicas * n.tiers[l].nodes;
    bytes.models += 2 * nodes * row;
    bytes.errors += (tier.up ? children * row : 0) + (tier.down ? nodes * row : 0);
    bytes.messages = std::max({bytes.messages, tier.up ? children * row : 0, tier.down ? nodes * row : 0});
    if (tier.up) bytes.compressors += tier.up->workspace(backend, shape, children, size);
    if (tier.down) bytes.compressors += tier.down->workspace(backend, shape, nodes, size);
    children = nodes;
  }
  if (n.graph) bytes.models += replicas * n.top_nodes() * row;
  return bytes;
}

std::string tier_messages_text(const TierMessages& m, const NetworkSpec& n, const TierBytes& bytes) {
  const auto what = [](const std::shared_ptr<const Compressor>& c) {
    return c ? fmt::format("differences through \"{}\"", c->kind()) : std::string("whole models");
  };
  std::string text;
  bool counted = false;
  for (size_t l = 0; l < m.tiers.size(); ++l) {
    const auto& tier = m.tiers[l];
    text += fmt::format("    messages of tier {}: {} up, {} down", n.tiers[l].name, what(tier.up), what(tier.down));
    if (tier.up || tier.down) text += tier.error_feedback ? ", with error feedback" : ", without error feedback";
    text += "\n";
    for (const auto& c : {tier.up, tier.down}) counted = counted || (c && c->has_counted());
  }
  if (n.graph) text += "    messages of the graph: whole models\n";
  if (counted) text += "    lengths depend on what messages say, and the bits below leave that part out\n";
  if (m.send_bytes) text += "    all compressed messages go through their bytes\n";
  return text + fmt::format(
                    "    memory of the messages: {} = errors {} + models of the nodes {} + messages {} + "
                    "compressors {}\n",
                    mebibytes(bytes.total()), mebibytes(bytes.errors), mebibytes(bytes.models),
                    mebibytes(bytes.messages), mebibytes(bytes.compressors));
}

std::vector<std::string> tier_notices(const Arm& arm, const BankShape& shape) {
  std::vector<std::pair<std::string, std::string>> all;  // what is wrong, and where: each sentence once
  const auto say = [&](const std::string& where, const std::string& what) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == what; });
    if (found == all.end())
      all.emplace_back(what, where);
    else
      found->second += ", " + where;
  };
  const auto look = [&](const std::string& where, bool feeds_back, const Compressor* c) {
    if (!c) return;
    const CompressorClass k = c->traits(shape);
    if (!k.delta && k.omega && *k.omega >= 1)
      say(where, fmt::format("the squared error of \"{}\" is up to {:.3g} times the square of what is sent, and {} may "
                             "grow from message to message; let it send more",
                             c->kind(), *k.omega, feeds_back ? "what is kept of it" : "that noise"));
    if (!feeds_back && !k.omega)
      say(where, fmt::format("\"{}\" is biased, and without error feedback what it leaves out is lost; set "
                             "error_feedback = true",
                             c->kind()));
  };
  for (size_t l = 0; l < arm.tier_messages->tiers.size(); ++l) {
    const auto& tier = arm.tier_messages->tiers[l];
    const std::string& name = arm.network->tiers[l].name;
    look(name + " up", tier.error_feedback, tier.up.get());
    look(name + " down", tier.error_feedback, tier.down.get());
  }
  std::vector<std::string> sentences;
  for (const auto& [what, where] : all)
    sentences.push_back(
        fmt::format("{}messages {}: {}", arm.name.empty() ? "" : fmt::format("arm \"{}\": ", arm.name), where, what));
  return sentences;
}

}  // namespace orrery
