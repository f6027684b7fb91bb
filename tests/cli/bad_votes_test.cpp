// Bad values of the keys of sign voting, and what it cannot be combined with.
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

Toml vote(const std::string& line) { return Toml{.algorithm = "kind = \"sign-vote\"\n" + line + "  #!"}; }
Toml over(const std::string& network) { return Toml{.network = network, .algorithm = "kind = \"sign-vote\""}; }
Toml mode(const std::string& workers, const std::string& line) {
  return Toml{.network = "workers = " + workers, .algorithm = "kind = \"sign-vote\"\n" + line + "  #!"};
}

std::vector<BadInput> Keys() {
  return {
      bad("UnknownVote", vote("vote = \"borda\""), 2, {"algorithm.vote", "majority, fv, fd"}),
      bad("VoteAsANumber", vote("vote = 1"), 2, {"algorithm.vote"}),
      bad("ClipZero", vote("vote = \"fv\"\nclip = 0"), 2, {"algorithm.clip", "out of range"}),
      bad("ClipNegative", vote("vote = \"fv\"\nclip = -10"), 2, {"algorithm.clip", "out of range"}),
      bad("ForgettingZero", vote("vote = \"fv\"\nforgetting = 0"), 2, {"algorithm.forgetting", "out of range"}),
      bad("ForgettingAboveOne", vote("vote = \"fv\"\nforgetting = 1.01"), 2, {"algorithm.forgetting", "out of range"}),
      bad("WarmupNegative", vote("vote = \"fd\"\nwarmup = -1"), 2, {"algorithm.warmup", "out of range"}),
      bad("WarmupOfAFraction", vote("vote = \"fd\"\nwarmup = 1.5"), 2, {"algorithm.warmup"}),
      bad("EpsilonZero", vote("vote = \"fv\"\nepsilon = 0"), 2, {"algorithm.epsilon", "out of range"}),
      bad("ClipBeyondAllWeights", vote("vote = \"fv\"\nclip = 1e308"), 2, {"algorithm.clip", "out of range"}),
      bad("UnknownZero", vote("sign_zero = \"minus\""), 2, {"algorithm.sign_zero", "zero, plus, random"}),
      bad("OneBitThatMayBeZero", vote("downlink = \"one-bit\""), 2,
          {"algorithm.downlink", "sign_zero = \"plus\" or \"random\""}),
      bad("Momentum", vote("momentum = 0.9"), 2, {"algorithm.momentum", "set it to 0"}),
      bad("BatchesPerSlot", vote("batches_per_slot = 2"), 2, {"algorithm.batches_per_slot", "set it to 1"}),
      bad("NoSuchMode", mode("15", "batch_mode = 5"), 2, {"algorithm.batch_mode", "choose 1, 2, 3 or 4"}),
      bad("ModeThatDoesNotFit", mode("14", "batch_mode = 2"), 2, {"algorithm.batch_mode", "multiple of 5"}),
      bad("ModeAndBatch", mode("15", "batch = 8\nbatch_mode = 1"), 2,
          {"algorithm.batch_mode", "leave one of them out"})};
}
ORRERY_REFUSES(Keys);

std::vector<BadInput> Networks() {
  return {bad("Tiers", over("workers = 4\ntiers = [{ name = \"edge\", nodes = 2, period = 1 }]  #!"), 2,
              {"network.tiers", "remove the tiers"}),
          bad("Graph", over("workers = 4\n[network.graph]  #!\nkind = \"ring\"\nperiod = 1"), 2,
              {"network.graph", "remove the graph"}),
          bad("Rates", over("workers = 4\nrates = 0.5  #!"), 2, {"network.rates", "leave the rates at 1"}),
          bad("MetricOfVotes", Toml{.record = "metrics = [\"vote_error\"]  #!"}, 2,
              {"record.metrics", "\"vote_error\"", "\"h-sgd\"", "leave it out"})};
}
ORRERY_REFUSES(Networks);

}  // namespace
}  // namespace orrery::test
