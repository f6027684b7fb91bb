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
      bad("OneBitOfANumber", vote("vote = \"mean\"\nsign_zero = \"plus\"\ndownlink = \"one-bit\""), 2,
          {"algorithm.downlink", "numbers come down"}),
      bad("StepOfItsOwn", vote("step = \"gradients\""), 2, {"algorithm.step", "leave it out"}),
      bad("OneBitThatMayBeZero", vote("downlink = \"one-bit\""), 2,
          {"algorithm.downlink", "sign_zero = \"plus\" or \"random\""}),
      bad("MomentumOfOne", vote("momentum = 1"), 2, {"algorithm.momentum", "out of range"}),
      bad("LocalStepsWithoutARate", vote("batches_per_slot = 2\nlearning_rate = 0"), 2,
          {"algorithm.learning_rate", "above 0"}),
      bad("WeightDecayNegative", vote("weight_decay = -1"), 2, {"algorithm.weight_decay", "out of range"}),
      bad("SparsityZero", vote("sparsity = 0"), 2, {"algorithm.sparsity", "out of range"}),
      bad("AccumulationAboveOne", vote("accumulation = 2"), 2, {"algorithm.accumulation", "out of range"}),
      bad("UnknownFeedback", vote("error_feedback = \"server\""), 2, {"algorithm.error_feedback", "two-way"}),
      bad("FeedbackOfALearnedVote", vote("vote = \"fv\"\nerror_feedback = \"worker\""), 2,
          {"algorithm.error_feedback", "leave vote out"}),
      bad("FeedbackAndMomentum", vote("momentum = 0.9\nerror_feedback = \"worker\""), 2,
          {"algorithm.error_feedback", "leave momentum and sparsity out"}),
      bad("SparsityAndMomentum", vote("momentum = 0.9\nsparsity = 0.1"), 2, {"algorithm.sparsity", "leave momentum"}),
      bad("SparseSignsThatAreNeverZero", vote("sparsity = 0.1\nsign_zero = \"plus\""), 2,
          {"algorithm.sign_zero", "set sign_zero = \"zero\""}),
      bad("SparseLearnedVote", vote("vote = \"fv\"\nsparsity = 0.1"), 2, {"algorithm.sparsity", "not sent"}),
      bad("TopKOfEverything", vote("vote = \"top-k\""), 2, {"algorithm.vote", "set sparsity below 1"}),
      bad("NoiseWithoutAScale", vote("noise = { kind = \"uniform\" }"), 2, {"algorithm.noise", "\"max\" or \"norm\""}),
      bad("UnknownNoise", vote("noise = { kind = \"cauchy\", scale = 1 }"), 2, {"algorithm.noise.kind", "gaussian"}),
      bad("NoiseOfANegativeScale", vote("noise = { kind = \"uniform\", scale = -1 }"), 2,
          {"algorithm.noise.scale", "out of range"}),
      bad("NoiseBeforeNoSign", vote("vote = \"mean\"\nnoise = { kind = \"uniform\", scale = 1 }"), 2,
          {"algorithm.noise", "sends numbers"}),
      bad("SignsForwardedOfAMean", vote("vote = \"mean\"\nforward = \"signs\""), 2,
          {"algorithm.forward", "decides no sign"}),
      bad("UnknownAttack", vote("attack = { kind = \"sybil\", workers = 1 }"), 2,
          {"algorithm.attack.kind", "colluders"}),
      bad("AttackWithoutAttackers", vote("attack = { kind = \"inversion\" }"), 2, {"algorithm.attack", "workers"}),
      bad("AttackersBeyondTheWorkers", mode("15", "attack = { kind = \"inversion\", workers = 16 }"), 2,
          {"algorithm.attack.workers", "16 attackers of 15 workers"}),
      bad("AnAttackerBeyondTheWorkers", mode("15", "attack = { kind = \"inversion\", workers = [0, 15] }"), 2,
          {"algorithm.attack.workers", "worker 15"}),
      bad("AnAttackerTwice", mode("15", "attack = { kind = \"inversion\", workers = [3, 3] }"), 2,
          {"algorithm.attack.workers", "twice"}),
      bad("FlipBeyondOne", vote("attack = { kind = \"flip\", workers = 1, rate = 1.5 }"), 2,
          {"algorithm.attack.rate", "out of range"}),
      bad("InversionNowAndThen", vote("attack = { kind = \"inversion\", workers = 1, rate = 0.5 }"), 2,
          {"algorithm.attack.rate", "\"flip\""}),
      bad("CollusionAgainstAMean", vote("vote = \"mean\"\nattack = { kind = \"colluders\", workers = 1 }"), 2,
          {"algorithm.attack", "sends numbers"}),
      bad("NoSuchMode", mode("15", "batch_mode = 5"), 2, {"algorithm.batch_mode", "choose 1, 2, 3 or 4"}),
      bad("ModeThatDoesNotFit", mode("14", "batch_mode = 2"), 2, {"algorithm.batch_mode", "multiple of 5"}),
      bad("ModeAndBatch", mode("15", "batch = 8\nbatch_mode = 1"), 2,
          {"algorithm.batch_mode", "leave one of them out"})};
}
ORRERY_REFUSES(Keys);

std::vector<BadInput> Networks() {
  return {bad("TiersThatDoNotVote", over("workers = 4\ntiers = [{ name = \"edge\", nodes = 2, period = 5 }]  #!"), 2,
              {"network.tiers", "\"edge\" acts every 5", "period 1"}),
          bad("Participants",
              over("workers = 4\nparticipation = 0.5  #!\ntiers = [{ name = \"edge\", nodes = 2, period = 1 }]"), 2,
              {"network.participation", "remove it"}),
          bad("Graph", over("workers = 4\n[network.graph]  #!\nkind = \"ring\"\nperiod = 1"), 2,
              {"network.graph", "remove the graph"}),
          bad("Rates", over("workers = 4\nrates = 0.5  #!"), 2, {"network.rates", "leave the rates at 1"}),
          bad("DispersionOfSharedModels",
              Toml{.network = "workers = 4\ntiers = [{ name = \"edge\", nodes = 1, period = 1 }]",
                   .algorithm = "kind = \"sign-vote\"",
                   .record = "metrics = [\"dispersion_edge\"]  #!"},
              2, {"record.metrics", "consensus_distance"}),
          bad("MetricOfVotes", Toml{.record = "metrics = [\"vote_error\"]  #!"}, 2,
              {"record.metrics", "\"vote_error\"", "\"h-sgd\"", "leave it out"})};
}
ORRERY_REFUSES(Networks);

}  // namespace
}  // namespace orrery::test
