// What the rows of [expect] read: a metric of an arm at a moment, per replica, and how such a reading is shown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/expect/evaluate.hpp"

namespace orrery::expect {

// One arm's metric at a moment, per replica; empty where the run has no such step.
using Reading = std::vector<double>;

double mean_of(const Reading&);    // NaN of none
double median_of(const Reading&);  // NaN counts as infinite; of an even number the mean of the two in the middle
std::string show(double);
std::string show(const Reading&);         // mean ± deviation over the replicas
std::string show_median(const Reading&);  // "-" where it is infinite

class Reader {
 public:
  explicit Reader(const Measured& m) : m_(m) {}

  std::optional<Reading> at(const std::string& arm, const std::string& metric, const Moment&) const;

  // Where an arm's record points lie on the axis `along`: local steps, or the mean over the replicas of a metric that ascends.
  std::vector<double> axis(const std::string& arm, const std::string& along) const;
  // A metric at a place of that axis, linearly between the record points around it; empty beyond the last one.
  std::optional<Reading> between(const std::string& arm, const std::string& metric, const std::string& along,
                                 double x) const;

  // Mean over the replicas of `what` ("step" or a metric) at the first record point where the mean of `metric` is <= level.
  std::optional<double> reached(const std::string& arm, const std::string& metric, double level,
                                const std::string& what) const;

 private:
  const std::vector<std::vector<double>>& replicas(const std::string& arm, const std::string& metric) const;
  const Measured& m_;
};

}  // namespace orrery::expect
