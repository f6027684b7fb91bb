#include "runtime/voting/attack.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {

std::vector<uint8_t> AttackSpec::chosen(int64_t all) const {
  std::vector<uint8_t> who(static_cast<size_t>(all));
  if (!on()) return who;
  for (int64_t w = 0; w < (workers.empty() ? first : 0); ++w) who[static_cast<size_t>(w)] = 1;
  for (const int64_t w : workers) who[static_cast<size_t>(w)] = 1;
  return who;
}

AttackSpec read_attack(Params& algorithm) {
  AttackSpec s;
  if (!algorithm.has("attack")) return s;
  Params p = algorithm.table("attack");
  const std::string kind =
      p.choice("kind", std::nullopt, {"none", "inversion", "flip", "gaussian", "noise", "colluders"});
  s.kind = kind == "none"        ? AttackSpec::Kind::none
           : kind == "gaussian"  ? AttackSpec::Kind::gaussian
           : kind == "noise"     ? AttackSpec::Kind::noise
           : kind == "colluders" ? AttackSpec::Kind::colluders
                                 : AttackSpec::Kind::inversion;
  if (kind == "none") {
    for (const char* key : {"workers", "rate", "deviation"}) p.mark_read(key);
    return s;
  }
  // read for every kind, so that arms may share them
  s.rate = p.number("rate", kind == "flip" ? 0.5 : 1.0, between(0, 1));
  s.deviation = p.number("deviation", kind == "noise" ? 0.05 : 1.0, above(0));
  if (kind == "inversion" && s.rate < 1)
    p.fail("rate", "inversion turns every sign; leave rate out, or set kind = \"flip\"");
  if (!p.has("workers")) p.fail_missing("workers", "how many of the first workers attack, or an array of workers");
  if (p.is_array("workers")) {
    s.workers = p.integers("workers", at_least(0));
    std::sort(s.workers.begin(), s.workers.end());
    const auto twice = std::adjacent_find(s.workers.begin(), s.workers.end());
    if (twice != s.workers.end()) p.fail("workers", fmt::format("names worker {} twice; name each once", *twice));
  } else {
    s.first = p.integer("workers", std::nullopt, at_least(0));
  }
  return s;
}

void check_attack(const Params& p, const AttackSpec& s, int64_t workers) {
  const int64_t last = s.workers.empty() ? s.first - 1 : s.workers.back();
  if (last >= workers)
    throw ExperimentError(fmt::format("{}: {} of {} workers; {}", p.place("algorithm.attack.workers"),
                                      s.workers.empty() ? fmt::format("{} attackers", s.first)
                                                        : fmt::format("worker {}, the last is {},", last, workers - 1),
                                      workers, "choose attackers among the workers"));
}

}  // namespace orrery
