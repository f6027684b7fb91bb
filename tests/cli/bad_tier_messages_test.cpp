// What compressed tiers cannot be combined with, and what they cannot be given.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

// Tiers over four workers, the key at fault marked in the first.
std::string tiers(const std::string& first, const std::string& more = "") {
  return "workers = 4\n" + more + "[[network.tiers]]\nname = \"edge\"\nnodes = 2\nperiod = 2\n" + first +
         "\n[[network.tiers]]\nname = \"cloud\"\nnodes = 1\nperiod = 4";
}
const std::string plain = tiers("");

Toml with(const std::string& network, const std::string& compressor = "", const std::string& algorithm = "") {
  return Toml{.network = network,
              .algorithm = "kind = \"h-sgd\"\n" + algorithm,
              .rest = compressor.empty() ? "" : "[compressor]\n" + compressor};
}

std::vector<BadInput> Tiers() {
  return {
      bad("TooManyUp", with(tiers("up = { kind = \"top-k\", k = 3 }  #!")), 2, {"network.tiers", "give at most 2"}),
      bad("TooManyDown", with(tiers("down = { kind = \"rand-k\", k = 5 }  #!")), 2,
          {"network.tiers", "give at most 2"}),
      bad("UnknownKind", with(tiers("up = { kind = \"top\" }  #!")), 2, {"network.tiers", "top-k"}),
      bad("UnknownKey", with(tiers("up = { kind = \"sign\", k = 2 }  #!")), 2, {"network.tiers"}),
      bad("NoKind", with(tiers("down = { k = 2 }  #!")), 2, {"network.tiers", "kind"}),
      bad("NoTable", with(tiers("up = \"top-k\"  #!")), 2, {"network.tiers", "up = { kind"}),
      bad("FeedbackOfNothing", with(tiers("error_feedback = true  #!")), 2, {"network.tiers", "give up or down"}),
      bad("FeedbackAsText", with(tiers("up = { kind = \"sign\" }\nerror_feedback = \"worker\"  #!")), 2,
          {"network.tiers", "error_feedback"}),
      bad("MeansOverAll",
          Toml{.model = "kind = \"quadratic\"\ndimension = 16",
               .network = tiers("up = { kind = \"power-sgd\", rank = 1, shape = [4, 4] }  #!")},
          2, {"network.tiers", "set shared = false"}),
      bad("BasisOfWhoSitsOut",
          Toml{.model = "kind = \"quadratic\"\ndimension = 16",
               .network = tiers("up = { kind = \"power-sgd\", rank = 1, shape = [4, 4], shared = false }  #!",
                                "participation = 0.5\n")},
          2, {"network.tiers", "sit messages out"}),
      bad("OfAMethodWithout",
          Toml{.network = "workers = 4\n[[network.tiers]]\nname = \"edge\"\nnodes = 2\nperiod = 1\nup = { kind = "
                          "\"sign\" }  #!",
               .algorithm = "kind = \"sign-vote\""},
          2, {"network.tiers", "choose h-sgd"}),
  };
}
ORRERY_REFUSES(Tiers);

std::vector<BadInput> Sections() {
  return {
      bad("NoTiers", Toml{.rest = "[compressor]  #!\nkind = \"sign\""}, 2, {"compressor", "give network.tiers"}),
      bad("AGraphAlone",
          Toml{.network = "workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 1",
               .rest = "[compressor]  #!\nkind = \"sign\""},
          2, {"compressor", "choco-sgd"}),
      bad("TooMany", with(plain, "kind = \"top-k\"\nk = 3  #!"), 2, {"compressor.k", "give at most 2"}),
      bad("Unknown", with(plain, "kind = \"top\"  #!"), 2, {"compressor.kind", "top-k"}),
      bad("DownUnknown", with(plain, "kind = \"sign\"\ndown = { kind = \"signs\" }  #!"), 2,
          {"compressor.down.kind", "sign"}),
      bad("DownNoTable", with(plain, "kind = \"sign\"\ndown = \"sign\"  #!"), 2, {"compressor.down", "down = { kind"}),
      bad("UnknownKey", with(plain, "kind = \"sign\"\nfeedback = true  #!"), 2, {"compressor.feedback"}),
      bad("BytesOfWholeModels", with(plain, "", "send_bytes = true  #!"), 2, {"algorithm.send_bytes", "remove it"}),
      bad("StartsApart",
          Toml{.model = "kind = \"quadratic\"\ndimension = 2\ninit = \"apart.npy\"  #!",
               .network = plain,
               .rest = "[compressor]\nkind = \"sign\""},
          2, {"model.init", "give a file of shape (P)"}, {},
          [](const std::string& folder) {
            save_npy(folder + "/apart.npy", "(4, 2)", std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8});
          }),
      bad("BytesOfAnother",
          Toml{.network = "workers = 4\n[network.graph]\nkind = \"ring\"\nperiod = 1",
               .algorithm = "kind = \"diffusion\"\nsend_bytes = true  #!"},
          2, {"algorithm.send_bytes"}),
  };
}
ORRERY_REFUSES(Sections);

}  // namespace
}  // namespace orrery::test
