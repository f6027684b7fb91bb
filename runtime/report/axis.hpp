// One axis of a chart: where a value lies, and ticks at round numbers.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace orrery::report {

struct Tick {
  double value = 0;
  std::string label;            // plain text; empty for a minor tick
  std::optional<int> exponent;  // drawn raised behind the label: 10^exponent
};

class Axis {
 public:
  enum class Labels {
    counts,
    integers,
    numbers
  };  // 20k (SI); the same, never between integers; 0.02 with a common power of ten

  static Axis linear(double low, double high, Labels labels, int about);  // covers [low, high], about so many ticks
  static Axis logarithmic(double low, double high, double room,
                          int about);  // 0 < low <= high; room: share left free at either end

  double at(double value) const;  // 0 at the low end, 1 at the high end; clamped a little outside
  bool log() const { return log_; }
  const std::vector<Tick>& ticks() const { return ticks_; }
  std::optional<int> common_exponent() const { return common_; }  // labels are to be multiplied by 10^this

 private:
  double low_ = 0, high_ = 1;  // of log10 on a log axis
  bool log_ = false;
  std::vector<Tick> ticks_;
  std::optional<int> common_;
};

// Log axis rule: nothing negative, at least half of the values positive, and these span more than 2.5 decades.
bool wants_log(const std::vector<double>& finite_values);

// Below it positive values of a logarithmic axis are rounding, which would stretch it: 1e-28 of the largest, squares of float64's.
double rounding_level(const std::vector<double>& values);

}  // namespace orrery::report
