// What the strategies of decentralised SGD cannot be combined with.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

Toml over(const std::string& network, const std::string& more = "") {
  return Toml{.network = network, .algorithm = "kind = \"diffusion\"\n" + more};
}

std::vector<BadInput> Strategies() {
  return {bad("NoGraph", over("#!\nworkers = 4"), 2, {"network", "[network.graph]"}),
          bad("Tiers",
              over("workers = 4\ntiers = [{ name = \"edge\", nodes = 2, period = 1 }]  #!\n[network.graph]\nkind = "
                   "\"ring\"\nperiod = 1"),
              2, {"network.tiers", "remove the tiers"}),
          bad("SeldomMixing", over("workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 5  #!"), 2,
              {"network.graph.period", "set it to 1"}),
          bad("SeveralBatches",
              over("workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 1", "batches_per_slot = 2  #!"), 2,
              {"algorithm.batches_per_slot", "set it to 1"}),
          bad("StoredGradients",
              over("workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 1", "step = \"gradients\"  #!"), 2,
              {"algorithm.step", "leave it out"})};
}
ORRERY_REFUSES(Strategies);

}  // namespace
}  // namespace orrery::test
