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
                                                  {Vote::sqrt_batch, "sqrt-batch"}};

}  // namespace

const char* name(Vote vote) {
  for (const auto& [v, text] : votes)
    if (v == vote) return text;
  return "";
}

int64_t VoteSpec::bits_down(int64_t parameters) const {
  if (sign_zero != SignZero::zero) return parameters;
  return static_cast<int64_t>(std::ceil(std::log2(3.0) * static_cast<double>(parameters)));
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
  const std::string zero = p.choice("sign_zero", "zero", {"zero", "plus", "random"});
  s.sign_zero = zero == "zero" ? SignZero::zero : zero == "plus" ? SignZero::plus : SignZero::random;
  const bool one_bit = p.choice("downlink", "auto", {"auto", "one-bit"}) == "one-bit";
  if (one_bit && s.sign_zero == SignZero::zero)
    p.fail("downlink",
           "one bit cannot say that a coordinate stays where it is, and sign_zero = \"zero\" leaves ties at zero; set "
           "sign_zero = \"plus\" or \"random\"");
  // read for every vote, so that arms may share them
  s.warmup = p.integer("warmup", 100, between(0, 1e12));
  s.rule.clip = p.number("clip", 10.0, {.min = 0, .max = 1e6, .min_open = true});
  s.rule.epsilon = p.number("epsilon", 1e-5, {.min = 0, .max = 0.5, .min_open = true});
  s.forgetting = p.number("forgetting", 1.0, {.min = 0, .max = 1, .min_open = true});
  return s;
}

}  // namespace orrery
