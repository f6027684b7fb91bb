#include "runtime/voting/spec.hpp"

#include <fmt/format.h>

#include <cmath>

namespace orrery {
namespace {

constexpr std::pair<Vote, const char*> votes[] = {{Vote::majority, "majority"},
                                                  {Vote::fv, "fv"},
                                                  {Vote::fd, "fd"},
                                                  {Vote::fv_worker, "fv-worker"},
                                                  {Vote::fv_nonneg, "fv-nonneg"},
                                                  {Vote::sqrt_batch, "sqrt-batch"},
                                                  {Vote::genie, "genie"},
                                                  {Vote::average, "average"},
                                                  {Vote::mean, "mean"},
                                                  {Vote::batch_mean, "batch-mean"},
                                                  {Vote::top_k, "top-k"}};

SignZero read_zero(Params& p) {
  const std::string zero = p.choice("sign_zero", "zero", {"zero", "plus", "random"});
  return zero == "zero" ? SignZero::zero : zero == "plus" ? SignZero::plus : SignZero::random;
}

// What cannot go together, and what to do.
void check_together(const Params& p, const VoteSpec& s) {
  const std::string vote = name(s.vote);
  if (s.one_bit_down && !s.decides_signs() && s.error_feedback != VoteSpec::ErrorFeedback::two_way)
    p.fail("downlink", "numbers come down where messages are averaged; leave downlink out, or let signs be decided");
  if (s.feeds_back()) {
    if (s.vote != Vote::majority)
      p.fail("error_feedback",
             fmt::format("averages what the workers send, and vote = \"{}\" does not; leave vote out", vote));
    if (s.momentum > 0 || s.sparsity < 1)
      p.fail("error_feedback",
             "keeps a residual of whole gradients; leave momentum and sparsity out, or set error_feedback = \"none\"");
    if (s.noise.on()) p.fail("noise", "error feedback sends scaled signs without noise; remove one of the two");
    if (s.attack.kind == AttackSpec::Kind::colluders)
      p.fail("attack", "colluders answer a vote, and error feedback averages; choose another kind");
  }
  if (s.sparse() && s.momentum > 0)
    p.fail("sparsity", "keeps a residual in place of a velocity; leave momentum or sparsity out");
  if (s.sparse() && s.noise.on()) p.fail("noise", "would fill what sparsity leaves out; remove one of the two");
  if (s.sparse() && s.sign_zero != SignZero::zero)
    p.fail("sign_zero", "what is not sent must stay zero; set sign_zero = \"zero\" where sparsity is below 1");
  if (s.vote == Vote::top_k && s.sparsity >= 1)
    p.fail("vote", "top-k sends a share of the coordinates; set sparsity below 1");
  if (!s.sends_signs()) {
    if (s.noise.on())
      p.fail("noise", fmt::format("goes in front of a sign, and vote = \"{}\" sends numbers; remove it", vote));
    if (s.vote != Vote::top_k && s.sparsity < 1)
      p.fail("sparsity", fmt::format("is of signs and of top-k; leave it out of vote = \"{}\"", vote));
    if (s.attack.kind == AttackSpec::Kind::colluders ||
        (s.attack.kind == AttackSpec::Kind::inversion && s.attack.rate < 1))
      p.fail(
          "attack",
          fmt::format("flips and colluders are of signs, and vote = \"{}\" sends numbers; choose another kind", vote));
  }
}

}  // namespace

const char* name(Vote vote) {
  for (const auto& [v, text] : votes)
    if (v == vote) return text;
  return "";
}

std::string warmup_notice(const VoteSpec& s, int64_t steps) {
  if (!s.learns() || s.warmup < steps) return "";
  return fmt::format("the warm-up of {} rounds does not end within the {} of the run: vote = \"{}\" is {} throughout",
                     s.warmup, steps, name(s.vote),
                     s.vote == Vote::fd ? "a vote with one weight per worker" : "plain majority");
}

VoteSpec read_vote(Params& p) {
  VoteSpec s;
  std::vector<std::string> known;
  for (const auto& [v, text] : votes) known.push_back(text);
  const std::string vote = p.choice("vote", "majority", known);
  for (const auto& [v, text] : votes)
    if (vote == text) s.vote = v;
  s.rule.nonnegative = s.vote == Vote::fv_nonneg;
  s.sign_zero = read_zero(p);
  const bool one_bit = p.choice("downlink", "auto", {"auto", "one-bit"}) == "one-bit";
  if (one_bit && s.sign_zero == SignZero::zero)
    p.fail("downlink",
           "one bit cannot say that a coordinate stays where it is, and sign_zero = \"zero\" leaves ties at zero; set "
           "sign_zero = \"plus\" or \"random\"");
  s.one_bit_down = one_bit;
  // read for every vote, so that arms may share them
  s.warmup = p.integer("warmup", 100, between(0, 1e12));
  s.rule.clip = p.number("clip", 10.0, {.min = 0, .max = 1e6, .min_open = true});
  s.rule.epsilon = p.number("epsilon", 1e-5, {.min = 0, .max = 0.5, .min_open = true});
  s.forgetting = p.number("forgetting", 1.0, {.min = 0, .max = 1, .min_open = true});
  s.momentum = p.number("momentum", 0.0, {.min = 0, .max = 1, .max_open = true});
  s.weight_decay = p.number("weight_decay", 0.0, at_least(0));
  const std::string feedback = p.choice("error_feedback", "none", {"none", "worker", "two-way"});
  s.error_feedback = feedback == "none"     ? VoteSpec::ErrorFeedback::none
                     : feedback == "worker" ? VoteSpec::ErrorFeedback::worker
                                            : VoteSpec::ErrorFeedback::two_way;
  s.sparsity = p.number("sparsity", 1.0, {.min = 0, .max = 1, .min_open = true});
  s.accumulation = p.number("accumulation", 1.0, between(0, 1));
  s.forward =
      p.choice("forward", "sums", {"sums", "signs"}) == "sums" ? VoteSpec::Forward::sums : VoteSpec::Forward::signs;
  s.noise = read_noise(p);
  s.attack = read_attack(p);
  check_together(p, s);
  return s;
}

}  // namespace orrery
