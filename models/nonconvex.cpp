#include "models/nonconvex.hpp"

#include <fmt/format.h>

#include <cmath>

namespace orrery {

OwnNumbers::OwnNumbers(Params& p, const std::string& key, double fallback) : params_(p), key_(key) {
  values_ = p.is_array(key) ? p.numbers(key) : std::vector<double>{p.number(key, fallback)};
  spread_ = p.number(key + "_spread", 0.0);
}

void OwnNumbers::check_workers(int64_t workers) const {
  const auto n = static_cast<int64_t>(values_.size());
  if (n > 1 && n != workers)
    params_.fail(key_, fmt::format("has {} numbers for {} workers; give one for all or one per worker", n, workers));
}

std::vector<double> OwnNumbers::of(int64_t workers) const {
  const auto n = static_cast<size_t>(workers);
  std::vector<double> t(n);
  double mean = 0, square = 0;
  for (size_t k = 0; k < n; ++k) {
    const double turns = 0.6180339887498949 * static_cast<double>(k);
    t[k] = turns - std::floor(turns);
    mean += t[k] / static_cast<double>(n);
  }
  for (const double v : t) square += (v - mean) * (v - mean) / static_cast<double>(n);
  std::vector<double> out(n);
  for (size_t k = 0; k < n; ++k)
    out[k] = (values_.size() > 1 ? values_[k] : values_[0]) +
             (square > 0 ? spread_ * (t[k] - mean) / std::sqrt(square) : 0.0);  // one worker: no spread
  return out;
}

}  // namespace orrery
