// Bad input of [record.hessian].
#include "tests/cli/bad_input.hpp"

namespace orrery::test {
namespace {

std::vector<BadInput> Keys() {
  const auto hessian = [](const std::string& body) {
    return Toml{.record = "every = 2\nmetrics = [\"hessian_trace\"]\n[record.hessian]\n" + body};
  };
  return {
      bad("OneProbe", hessian("probes = 1  #!"), 2, {"record.hessian.probes", "1 is out of range", "2 and"}),
      bad("ProbesAFraction", hessian("probes = 2.5  #!"), 2, {"record.hessian.probes", "give an integer"}),
      bad("SamplesNegative", hessian("samples = -1  #!"), 2, {"record.hessian.samples", "-1 is out of range"}),
      bad("SamplesWithoutData", hessian("samples = 8  #!"), 2, {"record.hessian.samples", "no data", "leave it out"}),
      bad("EveryZero", hessian("every = 0  #!"), 2, {"record.hessian.every", "0 is out of range", "at least 1"}),
      bad("EveryNoMultiple", hessian("every = 5  #!"), 2,
          {"record.hessian.every", "5 is no multiple of record.every = 2", "6"}),
      bad("NoLanczosStep", hessian("lanczos_steps = 0  #!"), 2, {"record.hessian.lanczos_steps", "0 is out of range"}),
      bad("Mistyped", hessian("probe = 3  #!"), 2, {"record.hessian.probe", "did you mean \"probes\""}),
      bad("NoTable", Toml{.record = "metrics = [\"hessian_top\"]\nhessian = 3  #!"}, 2, {"record.hessian", "table"}),
      bad("MistypedMetric", Toml{.record = "metrics = [\"hesian_trace\"]  #!"}, 2,
          {"record.metrics", "did you mean \"hessian_trace\""}),
  };
}
ORRERY_REFUSES(Keys);

}  // namespace
}  // namespace orrery::test
