#include "runtime/theory/diffusion/linear_problem.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery::diffusion {
namespace {

std::vector<double> mean_of(const std::vector<double>& x, int64_t agents) {
  const size_t n = x.size() / static_cast<size_t>(agents);
  std::vector<double> mean(n);
  for (size_t i = 0; i < x.size(); ++i) mean[i % n] += x[i];
  for (double& value : mean) value /= static_cast<double>(agents);
  return mean;
}

bool finite(const std::vector<double>& x) {
  return std::all_of(x.begin(), x.end(), [](double v) { return std::isfinite(v); });
}

bool symmetric(const std::vector<double>& x, size_t n) {
  double largest = 0, defect = 0;
  for (const double v : x) largest = std::max(largest, std::abs(v));
  for (size_t at = 0; at < x.size(); at += n * n)
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < i; ++j) defect = std::max(defect, std::abs(x[at + i * n + j] - x[at + j * n + i]));
  return defect <= 1e-12 * largest;
}

}  // namespace

std::vector<double> LinearProblem::mean_hessian() const { return mean_of(H, agents); }
std::vector<double> LinearProblem::mean_noise() const { return mean_of(R, agents); }

bool LinearProblem::common_hessian() const {
  for (size_t i = static_cast<size_t>(width()); i < H.size(); ++i)
    if (H[i] != H[i - static_cast<size_t>(width())]) return false;
  return true;
}

double LinearProblem::heterogeneity() const {
  double sum = 0;
  for (const double x : d) sum += x * x;
  return sum / static_cast<double>(agents);
}

void check(const LinearProblem& p) {
  expects(p.agents >= 1 && p.dimension >= 1, "an agent and a parameter");
  const auto n = static_cast<size_t>(p.agents * p.width()), m = static_cast<size_t>(p.dimension);
  expects(p.H.size() == n && p.R.size() == n, "a Hessian and a noise covariance per agent");
  expects(p.d.size() == static_cast<size_t>(p.agents) * m, "a gradient per agent");
  expects(std::isfinite(p.step) && p.step > 0 && p.batch > 0, "a step size and a batch above 0");
  expects(finite(p.H) && finite(p.R) && finite(p.d), "finite Hessians, covariances and gradients");
  expects(p.diagonal || (symmetric(p.H, m) && symmetric(p.R, m)), "symmetric Hessians and covariances");
  for (size_t i = 0; i < n; ++i)  // the diagonal of a (M,M) block is every (M+1)-st number
    expects(!(p.R[i] < 0) || (!p.diagonal && i % (m * m) % (m + 1) != 0), "variances of 0 at least");
  for (size_t i = 0; i < m; ++i) {
    double sum = 0, size = 0;
    for (size_t k = i; k < p.d.size(); k += m) sum += p.d[k], size += std::abs(p.d[k]);
    expects(std::abs(sum) <= 1e-9 * size, "gradients at the minimizer that sum to zero");
  }
}

}  // namespace orrery::diffusion
