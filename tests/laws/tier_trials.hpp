// What the tests of compressed tiers share: their trials and networks.
#pragma once

#include "tests/laws/tier_oracle.hpp"

namespace orrery::test {

inline const std::string unequal = "weights = [1, 3, 2, 2, 1, 1]\n";
inline std::vector<double> given(size_t n) {
  const std::vector<double> w{1, 3, 2, 2, 1, 1};
  std::vector<double> all;
  for (size_t i = 0; i < n; ++i) all.push_back(w[i % 6]);
  return all;
}
inline std::string tier(const std::string& name, const std::string& more) {
  return "{ name = \"" + name + "\", " + more + " }";
}

class TierTrials : public OnEachCase {
 protected:
  bool exact() const { return GetParam().precision == "fp64"; }
  Trial trial(int64_t workers) const {
    Trial s = OnEachCase::trial(workers);
    s.parameters = 5;
    s.learning_rate = 0.05;
    s.metrics = "\"bits_up\", \"bits_down\"";
    return s;
  }
  void expect_written_out(const Trial& s, const TierNet& n, const std::string& what) const {
    const auto want = simulate_tiers(s, n, device());
    EXPECT_LE(difference(final_models(s), want.models), 20 * tolerance()) << what;
  }
};

inline std::string two_tiers_text(const std::string& first, const std::string& second) {
  return unequal + "tiers = [" + tier("edge", "groups = [[0, 5], [1, 2], [3, 4], [6, 7, 8]], period = 2" + first) +
         ", " + tier("cloud", "groups = [[0, 2], [1, 3]], period = 6" + second) + "]\n";
}

}  // namespace orrery::test
