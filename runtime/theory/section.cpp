#include "runtime/theory/section.hpp"

namespace orrery {

TheorySpec parse_theory(Params p) {
  TheorySpec s;
  s.given = true;
  const auto estimate = p.choice("estimate", "start", {"off", "start", "record"});
  s.estimate = estimate == "off"     ? TheorySpec::Estimate::off
               : estimate == "start" ? TheorySpec::Estimate::start
                                     : TheorySpec::Estimate::record;
  if (p.has("optimum")) s.optimum = p.number("optimum", std::nullopt);
  if (p.has("smoothness")) s.smoothness = p.number("smoothness", std::nullopt, above(0));
  if (p.has("sigma_sq")) s.sigma_sq = p.number("sigma_sq", std::nullopt, at_least(0));
  if (p.has("smoothness_norm1")) s.smoothness_norm1 = p.number("smoothness_norm1", std::nullopt, above(0));
  if (p.has("sigma_norm1")) s.sigma_norm1 = p.number("sigma_norm1", std::nullopt, at_least(0));
  return s;
}

}  // namespace orrery
