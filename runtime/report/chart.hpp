// A line chart as inline SVG.
#pragma once

#include <string>
#include <vector>

#include "runtime/report/axis.hpp"

namespace orrery::report {

struct Point {
  double x, mean, low, high;  // mean = NaN: a gap
};
struct Series {
  size_t arm = 0;  // decides colour and dash
  std::string name;
  std::vector<Point> points;
  bool band = false;  // low ... high behind the line
};
struct Chart {
  std::string title, x_title, y_title;  // title: for screen readers
  Axis::Labels x_labels = Axis::Labels::integers, y_labels = Axis::Labels::numbers;
  bool x_log = false, y_log = false;  // points that are not positive leave gaps
  std::vector<Series> series;         // at least one drawable point in all
};

std::string draw(const Chart&);

}  // namespace orrery::report
