// Numbers of theory.json: null where there is none, or none that is finite.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "runtime/theory/constants.hpp"

namespace orrery {

using Json = nlohmann::ordered_json;

inline Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
inline Json number(const std::optional<double>& v) { return v ? number(*v) : Json(nullptr); }
inline Json numbers(const std::vector<double>& values) {
  Json j = Json::array();
  for (const double v : values) j.push_back(number(v));
  return j;
}
inline Json constant(const Constant& c) { return {{"value", number(c.value)}, {c.value ? "source" : "reason", c.how}}; }

}  // namespace orrery
