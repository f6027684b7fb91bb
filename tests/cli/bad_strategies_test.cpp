// What the strategies of decentralised SGD cannot be combined with.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

Toml over(const std::string& network, const std::string& more = "") {
  return Toml{.network = network, .algorithm = "kind = \"diffusion\"\n" + more};
}

std::vector<BadInput> StartFiles() {
  const std::string ring = "workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 1";
  const auto npy = [](const std::string& shape, std::vector<double> values) {
    return [shape, values](const std::string& folder) { save_npy(folder + "/x.npy", shape, values); };
  };
  const auto from = [&](const std::string& model) {
    Toml t = over(ring, "start = \"x.npy\"  #!");
    t.model = model;
    return std::string(t);
  };
  const std::string model = "kind = \"quadratic\"\ndimension = 3";
  return {
      bad("WrongSize", from(model), 2, {"algorithm.start", "shape (2)", "give (3)"}, {}, npy("(2,)", {1, 2})),
      bad("OnePerAgent", from(model), 2, {"algorithm.start", "shape (4,3)", "all agents start at one point"}, {},
          npy("(4, 3)", std::vector<double>(12))),
      bad("ShortTermWithoutStart",
          Toml{.model = "kind = \"quadratic\"\ndimension = 3\nshort_term = true  #!", .network = "workers = 4"}, 2,
          {"model.short_term", "algorithm.start"}),
      bad("EmptyName", Toml{.network = ring, .algorithm = "kind = \"diffusion\"\nstart = \"\"  #!"}, 2,
          {"algorithm.start", "names no file"}),
      bad("Missing", from(model), 2, {"algorithm.start", "x.npy", "cannot be read"}),
      bad("NotFinite", from(model), 2, {"algorithm.start", "not finite"}, {}, npy("(3,)", {1, NAN, 2})),
      bad("TwoStarts", from(model + "\ninit = 2.0"), 2, {"algorithm.start", "model.init", "leave one of them out"}, {},
          npy("(3,)", {1, 2, 3})),
  };
}
ORRERY_REFUSES(StartFiles);

std::vector<BadInput> Matrices() {
  const auto graph = [](const std::string& lines) {
    return over("workers = 4\n[network.graph]\nperiod = 1\n" + lines);
  };
  const auto file = [](const std::string& text) {
    return [text](const std::string& folder) { write_text(folder + "/a.txt", text); };
  };
  const std::string given = "kind = \"complete\"\nmixing = \"file\"\nmatrix = \"a.txt\"  #!";
  return {
      bad("NotStochastic", graph(given), 2, {"network.graph.matrix", "sums to 0.9", "sum to one"}, {},
          file("0.7 0.2 0 0.1\n0.1 0.7 0.1 0\n0 0.1 0.8 0.1\n0.1 0 0.1 0.8\n")),
      bad("NegativeEntry", graph(given), 2, {"network.graph.matrix", "must not be negative"}, {},
          file("1.2 -0.2 0 0\n-0.2 1.2 0 0\n0 0 0.5 0.5\n0 0 0.5 0.5\n")),
      bad("Disconnected", graph(given), 2, {"network.graph.matrix", "not connected"}, {},
          file("0.5 0.5 0 0\n0.5 0.5 0 0\n0 0 0.5 0.5\n0 0 0.5 0.5\n")),
      bad("DisconnectedGraph", graph("kind = \"file\"\npath = \"a.txt\"  #!"), 2,
          {"network.graph.path", "not connected"}, {}, file("0 1 0 0\n1 0 0 0\n0 0 0 1\n0 0 1 0\n")),
      bad("DirectedMetropolis", graph("kind = \"exponential\"\ndirected = true\nmixing = \"metropolis\"  #!"), 2,
          {"network.graph.mixing", "one way", "uniform"}),
      bad("UnknownPath", graph("kind = \"ring\"\nmixing_path = \"fast\"  #!"), 2,
          {"network.graph.mixing_path", "by-cost"}),
      bad("PathWithoutStrategy",
          Toml{.network = "workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 1\nmixing_path = \"dense\"  #!",
               .algorithm = "kind = \"mll-sgd\""},
          2, {"network.graph.mixing_path", "remove it"}),
      bad("PathOfCentralized",
          Toml{.network = "workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 1\nmixing_path = \"dense\"  #!",
               .algorithm = "kind = \"centralized\""},
          2, {"network.graph.mixing_path", "\"centralized\" does not", "remove it"}),
  };
}
ORRERY_REFUSES(Matrices);

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
