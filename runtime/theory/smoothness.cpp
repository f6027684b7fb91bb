#include "runtime/theory/smoothness.hpp"

#include <cmath>

#include "kernels/core/error.hpp"
#include "kernels/core/rng.hpp"

namespace orrery {

double SecondMoments::score(int64_t sample) const {
  double sum = v_.back();
  if (x_.sparse()) {
    for (int64_t i = x_.rows.begin[sample]; i < x_.rows.begin[sample + 1]; ++i)
      sum += (x_.scale * static_cast<double>(x_.rows.value[i])) * v_[static_cast<size_t>(x_.rows.column[i])];
    return sum;
  }
  for (int64_t j = 0; j < x_.features(); ++j) sum += feature<double>(x_, sample, j) * v_[static_cast<size_t>(j)];
  return sum;
}

void SecondMoments::add(int64_t sample, double weight) {
  next_.back() += weight;
  if (x_.sparse()) {
    for (int64_t i = x_.rows.begin[sample]; i < x_.rows.begin[sample + 1]; ++i)
      next_[static_cast<size_t>(x_.rows.column[i])] += weight * x_.scale * static_cast<double>(x_.rows.value[i]);
    return;
  }
  for (int64_t j = 0; j < x_.features(); ++j) next_[static_cast<size_t>(j)] += weight * feature<double>(x_, sample, j);
}

int64_t SecondMoments::cost(int64_t samples) const {
  const int64_t per_sample = x_.sparse() ? x_.rows.value.size() / std::max<int64_t>(1, x_.count()) : x_.features();
  return 2 * samples * (per_sample + 1);
}

double SecondMoments::largest_eigenvalue(const int32_t* samples, int64_t count) {
  expects(count > 0, "at least one sample");
  const auto size = static_cast<size_t>(x_.features()) + 1;
  const auto normalise = [](std::vector<double>& v) {
    double norm = 0;
    for (const double x : v) norm += x * x;
    norm = std::sqrt(norm);
    if (norm > 0)
      for (double& x : v) x /= norm;
    return norm;
  };
  // A start that no eigenvector is orthogonal to
  const Stream draw(0, Draw::probe, 0, 0);
  v_.resize(size);
  for (size_t j = 0; j < size; ++j)
    v_[j] += 0.1 / std::sqrt(static_cast<double>(size)) * draw.normal(static_cast<uint32_t>(j));
  normalise(v_);

  double quotient = 0;
  for (int iteration = 0; iteration < 200; ++iteration) {
    next_.assign(size, 0);
    double squares = 0;
    for (int64_t k = 0; k < count; ++k) {
      const double s = score(samples[k]);
      squares += s * s;
      add(samples[k], s / static_cast<double>(count));
    }
    const double now = squares / static_cast<double>(count);
    const bool settled = now - quotient <= 1e-6 * now;
    quotient = std::max(quotient, now);
    normalise(next_);
    v_.swap(next_);
    if (settled) break;
  }
  return quotient;
}

}  // namespace orrery
