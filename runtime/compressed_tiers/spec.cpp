#include "runtime/compressed_tiers/spec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {
namespace {

using Shared = std::shared_ptr<const Compressor>;

Shared read_compressor(Params table) {
  Shared made = make_compressor(table);
  return made->kind() == "identity" ? nullptr : made;
}

// What is remembered from message to message must belong to one sender, and to all of them that send.
void check_sender(const NetworkSpec& n, const BankShape& shape, const Compressor& c, const std::string& place) {
  c.check(shape);
  const CompressorClass traits = c.traits(shape);
  const auto refuse = [&](const std::string& what) { throw ExperimentError(fmt::format("{}: {}", place, what)); };
  if (!traits.keeps_state) return;
  if (traits.alike)
    refuse(
        fmt::format("\"{}\" takes means over all workers, which no node of a tier has; set shared = false", c.kind()));
  if (!n.participants.empty() || n.tiers[0].classes().size() > 1)
    refuse(
        fmt::format("\"{}\" keeps a basis from message to message, and some workers sit messages out; choose "
                    "another, or leave participation and periods of groups out",
                    c.kind()));
}

}  // namespace

bool TierMessages::any() const {
  return std::any_of(tiers.begin(), tiers.end(), [](const Tier& t) { return t.up || t.down; });
}

size_t TierMessages::plain_tiers() const {
  const auto found = std::find_if(tiers.begin(), tiers.end(), [](const Tier& t) { return t.up || t.owes(); });
  return static_cast<size_t>(found - tiers.begin());
}

TierMessages read_tier_messages(Params& experiment, Params& algorithm, const NetworkSpec& n) {
  TierMessages m;
  TierMessages::Tier common;
  if (experiment.has("compressor")) {
    Params section = experiment.table("compressor");
    if (n.tiers.empty())
      experiment.fail("compressor",
                      "there are no tiers whose messages could go through it, and a graph alone mixes whole models; "
                      "give network.tiers, or choose choco-sgd");
    if (!section.has("kind")) section.set_text("kind", "identity");
    common.up_place = section.place("kind");
    common.up = read_compressor(section);
    if (section.has("down")) {
      if (!section.is_table("down")) section.fail("down", "is not a table; give down = { kind = ..., ... }");
      common.down_place = section.place("down");
      common.down = read_compressor(section.table("down"));
    }
    common.error_feedback = section.flag("error_feedback", true);
  }

  Params network = experiment.table("network");
  for (Params& table : network.tables("tiers")) {
    TierMessages::Tier tier = common;
    const auto read = [&](const char* key, Shared& compressor, std::string& place) {
      if (!table.has(key)) return;
      if (!table.is_table(key)) table.fail(key, fmt::format("is not a table; give {} = {{ kind = ..., ... }}", key));
      place = table.place(key);
      compressor = read_compressor(table.table(key));
    };
    read("up", tier.up, tier.up_place);
    read("down", tier.down, tier.down_place);
    if (table.has("error_feedback")) {
      tier.error_feedback = table.flag("error_feedback", true);
      if (!tier.up && !tier.down)
        table.fail("error_feedback",
                   "this tier sends whole models, which leave nothing out; give up or down, or remove it");
    }
    m.tiers.push_back(std::move(tier));
  }
  if (algorithm.has("send_bytes")) {
    m.send_bytes = algorithm.flag("send_bytes", false);
    if (m.send_bytes && !m.any())
      algorithm.fail("send_bytes",
                     "no message is compressed; give [compressor] or up and down of a tier, or remove it");
  }
  return m;
}

void refuse_tier_messages(Params& experiment, const std::string& kind) {
  if (!experiment.has("network")) return;
  Params network = experiment.table("network");
  for (Params& table : network.tables("tiers"))
    for (const char* key : {"up", "down", "error_feedback"})
      if (table.has(key))
        table.fail(key, fmt::format("compresses the models that tiered SGD sends, and \"{}\" is another method; "
                                    "remove it, or choose h-sgd",
                                    kind));
}

void check_tier_messages(const TierMessages& m, const NetworkSpec& n, const BankShape& shape) {
  for (const auto& tier : m.tiers) {
    if (tier.up) check_sender(n, shape, *tier.up, tier.up_place);
    if (tier.down) check_sender(n, shape, *tier.down, tier.down_place);
  }
}

void check_common_start(const Params& p, bool from_start, int64_t start_rows) {
  if (start_rows > 1)
    throw ExperimentError(
        fmt::format("{}: holds a start for every worker, and compressed tiers send differences to one "
                    "that all know; give a file of shape (P)",
                    p.place(from_start ? "algorithm.start" : "model.init")));
}

}  // namespace orrery
