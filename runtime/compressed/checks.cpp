// What is checked while a method runs, on the host and after every step (papers/st-compression.md 7, S3): its own invariants, and that what
// moves by the mean gradient alone does.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/compressed/compressed.hpp"

namespace orrery {

template <class T>
std::vector<double> Compressed<T>::means(const Arm& arm, const std::vector<double>& rows) const {
  const auto P = static_cast<size_t>(parameters_), W = static_cast<size_t>(population_.workers);
  std::vector<double> mean(arm.lanes * P);
  for (size_t i = 0; i < rows.size(); ++i) mean[i / P / W * P + i % P] += arm.share[i / P] * rows[i];
  return mean;
}

// mean <- what the steady mean should be after the step
template <class T>
void Compressed<T>::check_before(Arm& arm, MatrixView<const T> x, MatrixView<const T> g) {
  arm.steady = arm.method->steady(x);
  if (arm.steady.empty()) return;
  arm.mean = means(arm, arm.steady);
  for (const double v : arm.steady) arm.largest = std::max(arm.largest, std::abs(v));
  const double factor = arm.method->steady_factor();
  if (factor == 0) return;
  std::vector<double> gradients;
  for (const T v : to_host(ctx_, g)) gradients.push_back(static_cast<double>(v));
  const auto mean = means(arm, gradients);
  const double rate = population_.learning_rate[static_cast<size_t>(arm.first_row)];
  for (const double v : gradients) arm.largest = std::max(arm.largest, std::abs(factor * rate * v));
  for (size_t i = 0; i < mean.size(); ++i) arm.mean[i] -= factor * rate * mean[i];
}

template <class T>
void Compressed<T>::check_after(Arm& arm, MatrixView<const T> x, int64_t now) {
  auto found = arm.method->invariants();
  if (!arm.steady.empty()) {
    Invariant mean{"the mean of the models beside its step along the mean gradient"};
    const auto after = means(arm, arm.method->steady(x));
    for (size_t i = 0; i < after.size(); ++i) {
      mean.off = std::max(mean.off, std::abs(after[i] - arm.mean[i]));
      mean.size = std::max(mean.size, std::abs(after[i]));
    }
    found.push_back(mean);
  }
  // a rounding of what is largest for each step, and some for each operation in it
  for (const Invariant& i : found) {
    if (!std::isfinite(i.off) || !std::isfinite(i.size)) return;  // the run ends with a sentence of its own
    arm.largest = std::max(arm.largest, i.size);
    const double tolerance = std::numeric_limits<T>::epsilon() * (256 + 64 * static_cast<double>(now)) * arm.largest;
    if (i.off > tolerance)
      throw std::logic_error(fmt::format("step {}: {} is off by {:.3g}, beyond the {:.3g} of rounding", now + 1, i.what,
                                         i.off, tolerance));
  }
}

#define ORRERY_INSTANTIATE(T)                                                                      \
  template std::vector<double> Compressed<T>::means(const Arm&, const std::vector<double>&) const; \
  template void Compressed<T>::check_before(Arm&, MatrixView<const T>, MatrixView<const T>);       \
  template void Compressed<T>::check_after(Arm&, MatrixView<const T>, int64_t);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
