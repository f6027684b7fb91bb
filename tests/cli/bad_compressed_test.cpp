// What methods with compressed messages cannot be combined with, and what they cannot be given.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

const std::string ring = "workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 1";

Toml with(const std::string& algorithm, const std::string& network = ring, const std::string& compressor = "") {
  return Toml{
      .network = network, .algorithm = algorithm, .rest = compressor.empty() ? "" : "[compressor]\n" + compressor};
}
const std::string flow = "kind = \"primal-dual\"\n";

std::vector<BadInput> Flows() {
  return {
      bad("UnknownFlow", with(flow + "flow = \"sigma\"  #!"), 2, {"algorithm.flow", "observer-sigma"}),
      bad("LearningRate", with(flow + "learning_rate = 0.1  #!"), 2, {"algorithm.learning_rate", "`step`"}),
      bad("StepZero", with(flow + "step = 0  #!"), 2, {"algorithm.step", "above 0"}),
      bad("StepAsText", with(flow + "step = \"fused\"  #!"), 2, {"algorithm.step"}),
      bad("StepOfAnother", with("kind = \"lead\"\nstep = 0.1  #!"), 2, {"algorithm.step"}),
      bad("KappaZero", with(flow + "kappa = 0  #!"), 2, {"algorithm.kappa", "above 0"}),
      bad("ForeignGain", with("kind = \"consensus-flow\"\neta = 1.0  #!"), 2, {"algorithm.eta"}),
      bad("OwnDirections", with(flow + "flow = \"direct\"", ring, "kind = \"random-scalarizer\"\nshared = false  #!"),
          2, {"compressor.shared", "set shared = true"}),
      bad("Unbalanced", with(flow + "dual_start = [[0.3], [0], [0], [0]]  #!"), 2,
          {"algorithm.dual_start", "sum to 0.3", "sum to zero"}),
      bad("RowsMissing", with(flow + "dual_start = [[0.3], [-0.3]]  #!"), 2,
          {"algorithm.dual_start", "2 workers", "4"}),
      bad("RowsDiffer", with(flow + "dual_start = [[0.3, 1], [-0.3], [0], [0]]  #!"), 2,
          {"algorithm.dual_start", "worker 1", "same number"}),
      bad("NumbersMissing", with(flow + "dual_start = [[1, 1, 1], [-1, -1, -1], [0, 0, 0], [0, 0, 0]]  #!"), 2,
          {"algorithm.dual_start", "has 3 numbers", "give 2"}),
      bad("NoFile", with(flow + "dual_start = \"v.npy\"  #!"), 2, {"algorithm.dual_start", "v.npy"}),
      bad("NothingToBalance", with(flow + "dual_start_unbalanced = true  #!"), 2,
          {"algorithm.dual_start_unbalanced", "give dual_start"}),
  };
}
ORRERY_REFUSES(Flows);

std::vector<BadInput> Methods() {
  const std::string lead = "kind = \"lead\"\n", ef = "kind = \"ef21\"\n";
  return {
      bad("NoGraph", with(lead, "#!\nworkers = 4"), 2, {"network", "[network.graph]"}),
      bad("GraphOfServer", with(ef, "workers = 4\n[network.graph]  #!\nkind = \"ring\"\nperiod = 1"), 2,
          {"network.graph", "remove the graph"}),
      bad("Tiers", with(ef, "workers = 4\ntiers = [{ name = \"edge\", nodes = 2, period = 1 }]  #!"), 2,
          {"network.tiers", "remove the tiers"}),
      bad("SeldomMessages", with(lead, "workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 5  #!"), 2,
          {"network.graph.period", "set it to 1"}),
      bad("LinksComeAndGo", with(lead, "workers = 4\n[network.graph]  #!\nkind = \"one-peer-exponential\"\nperiod = 1"),
          2, {"network.graph", "choose another graph"}),
      bad("Weights", with(lead, "weights = [1, 2, 3, 4]  #!\n" + ring), 2, {"network.weights", "remove them"}),
      bad("Rates", with(lead, "rates = 0.5  #!\n" + ring), 2, {"network.rates", "leave the rates at 1"}),
      bad("Momentum", with(lead + "momentum = 0.9  #!"), 2, {"algorithm.momentum", "leave it out"}),
      bad("SeveralBatches", with(lead + "batches_per_slot = 2  #!"), 2, {"algorithm.batches_per_slot", "set it to 1"}),
      bad("StoredGradients", with(lead + "step = \"gradients\"  #!"), 2, {"algorithm.step", "leave it out"}),
      bad("NoStep", with(lead + "learning_rate = 0  #!"), 2, {"algorithm.learning_rate", "above 0"}),
      bad("GammaZero", with(lead + "gamma = 0  #!"), 2, {"algorithm.gamma", "above 0"}),
      bad("MemoryAboveOne", with(lead + "a = 1.5  #!"), 2, {"algorithm.a"}),
      bad("NoL1", with("#!\nkind = \"prox-lead\""), 2, {"algorithm.l1", "is missing"}),
      bad("UnknownKey", with(lead + "kappa = 2.0  #!"), 2, {"algorithm.kappa"}),
  };
}
ORRERY_REFUSES(Methods);

std::vector<BadInput> Compressors() {
  const std::string choco = "kind = \"choco-sgd\"";
  return {
      bad("TooMany", with(choco, ring, "kind = \"top-k\"\nk = 3  #!"), 2, {"compressor.k", "give at most 2"}),
      bad("MeansOnAGraph",
          Toml{.model = "kind = \"quadratic\"\ndimension = 16",
               .network = ring,
               .algorithm = choco,
               .rest = "[compressor]\nkind = \"power-sgd\"\nrank = 1\nshape = [4, 4]\nshared = true  #!"},
          2, {"compressor.shared", "set shared = false"}),
      bad("Unknown", with(choco, ring, "kind = \"top\"  #!"), 2, {"compressor.kind", "top-k"}),
      bad("AmplitudeOfOne", with(choco, ring, "kind = \"sine-map\"\namplitude = 1.0  #!"), 2, {"compressor.amplitude"}),
      bad("UnknownKeyOfCompressor", with(choco, ring, "kind = \"sign\"\nbits = 3  #!"), 2, {"compressor.bits"}),
      bad("OfAMethodWithout",
          Toml{.network = ring, .algorithm = "kind = \"diffusion\"", .rest = "[compressor]  #!\nkind = \"sign\""}, 2,
          {"compressor", "remove this section"}),
  };
}
ORRERY_REFUSES(Compressors);

}  // namespace
}  // namespace orrery::test
