#include "runtime/voting/noise.hpp"

#include <cmath>

namespace orrery {

double NoiseSpec::amplitude() const {
  if (!on() || scale != Scale::number) return 1;
  return value * (law == Law::gaussian ? std::sqrt(std::acos(-1.0) / 2) : 1.0);
}

NoiseSpec read_noise(Params& algorithm) {
  NoiseSpec s;
  if (!algorithm.has("noise")) return s;
  Params p = algorithm.table("noise");
  const std::string kind = p.choice("kind", std::nullopt, {"none", "uniform", "gaussian"});
  s.law = kind == "none"      ? NoiseSpec::Law::none
          : kind == "uniform" ? NoiseSpec::Law::uniform
                              : NoiseSpec::Law::gaussian;
  if (!s.on()) {
    p.mark_read("scale");
    return s;
  }
  if (p.is_text("scale")) {
    s.scale =
        p.choice("scale", std::nullopt, {"max", "norm"}) == "max" ? NoiseSpec::Scale::largest : NoiseSpec::Scale::norm;
    return s;
  }
  if (!p.has("scale")) p.fail_missing("scale", "a number, \"max\" or \"norm\"");
  s.value = p.number("scale", std::nullopt, above(0));
  return s;
}

}  // namespace orrery
