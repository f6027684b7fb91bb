#include "runtime/theory/diffusion/moments.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery::diffusion {
namespace {

std::vector<double> product(CBLAS_TRANSPOSE transposed, const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<int>(std::lround(std::sqrt(static_cast<double>(x.size()))));
  std::vector<double> out(x.size());
  cblas_dgemm(CblasRowMajor, CblasNoTrans, transposed, n, n, n, 1, x.data(), n, y.data(), n, 0, out.data(), n);
  return out;
}

// Sums of the n-step map for n = 1, 2, 4, ...: m_2n = m_n + L^n m_n, S_2n = S_n + L^n S_n (L^n)^T. False where L^n does not vanish.
bool double_until_settled(std::vector<double> L, std::vector<double>& mean, std::vector<double>& S) {
  const size_t n = mean.size();
  for (int doubling = 0; doubling < 60; ++doubling) {
    double largest = 0;
    for (const double x : L) largest = std::max(largest, std::isfinite(x) ? std::abs(x) : INFINITY);
    if (largest < 1e-20) return true;
    if (!(largest < 1e100)) return false;
    const std::vector<double> before = mean;
    for (size_t i = 0; i < n; ++i)
      for (size_t j = 0; j < n; ++j) mean[i] += L[i * n + j] * before[j];
    const std::vector<double> more = product(CblasTrans, product(CblasNoTrans, L, S), L);
    for (size_t i = 0; i < S.size(); ++i) S[i] += more[i];
    L = product(CblasNoTrans, L, L);
  }
  return false;
}

}  // namespace

Moments::Moments(const LinearProblem& p, Strategy strategy, const std::vector<double>& start)
    : agents_(static_cast<size_t>(p.agents)) {
  check(p);
  const auto M = static_cast<size_t>(p.dimension);
  expects(start.empty() || start.size() == agents_ * M, "a start per agent");
  const std::vector<double> Hbar = p.mean_hessian();
  for (ErrorRecursion& recursion : error_recursions(p, strategy)) {
    const size_t n = recursion.size(), first = parts_.size();
    Part& part = parts_.emplace_back(Part{std::move(recursion), std::vector<double>(n), std::vector<double>(n * n),
                                          p.diagonal ? std::vector{Hbar[first]} : Hbar});
    if (start.empty()) continue;
    for (size_t i = 0; i < n; ++i) part.mean[i] = p.diagonal ? start[i * M + first] : start[i];
  }
}

void Moments::check_size(const Mixing& A) const {
  expects(A.nodes() == static_cast<int64_t>(agents_), "a combination matrix with a column per agent");
}

void Moments::step(const Mixing& A) {
  check_size(A);
  for (Part& part : parts_) {
    part.recursion.step_mean(A, part.mean);
    part.recursion.step_covariance(A, part.covariance);
  }
}

void Moments::settle(const Mixing& A) {
  check_size(A);
  for (Part& part : parts_) {
    std::fill(part.mean.begin(), part.mean.end(), 0.0);
    std::fill(part.covariance.begin(), part.covariance.end(), 0.0);
  }
  step(A);
  for (Part& part : parts_)
    if (!double_until_settled(part.recursion.linear_part(A), part.mean, part.covariance))
      throw ExperimentError(std::string("the error of ") + name(part.recursion.strategy) +
                            " has no limit: its spectral radius is 1 or more at this step size; lower the step size");
}

// ---- what the moments say -------------------------------------------------------------------------------------------

ExcessRisk Moments::excess_risk() const {
  ExcessRisk er;
  for (const Part& part : parts_) {
    const size_t p = part.recursion.width, n = part.recursion.size();
    for (size_t k = 0; k < agents_; ++k)
      for (size_t i = 0; i < p; ++i)
        for (size_t j = 0; j < p; ++j) {
          const double h = part.Hbar[i * p + j] / static_cast<double>(2 * agents_);
          er.bias += h * part.mean[k * p + i] * part.mean[k * p + j];
          er.noise += h * part.covariance[(k * p + i) * n + k * p + j];
        }
  }
  return er;
}

ExcessRisk Moments::excess_risk_mean() const {
  ExcessRisk er;
  const double scale = 1 / static_cast<double>(agents_);
  for (const Part& part : parts_) {
    const size_t p = part.recursion.width, n = part.recursion.size();
    std::vector<double> mean(p), covariance(p * p);
    for (size_t k = 0; k < n; ++k) {
      mean[k % p] += scale * part.mean[k];
      for (size_t l = 0; l < n; ++l) covariance[k % p * p + l % p] += scale * scale * part.covariance[k * n + l];
    }
    for (size_t i = 0; i < p; ++i)
      for (size_t j = 0; j < p; ++j) {
        er.bias += part.Hbar[i * p + j] / 2 * mean[i] * mean[j];
        er.noise += part.Hbar[i * p + j] / 2 * covariance[i * p + j];
      }
  }
  return er;
}

double Moments::consensus_distance() const {
  double sum = 0;
  const double K = static_cast<double>(agents_);
  for (const Part& part : parts_) {
    const size_t p = part.recursion.width, n = part.recursion.size();
    std::vector<double> centre(p);
    for (size_t k = 0; k < n; ++k) centre[k % p] += part.mean[k] / K;
    double spread = 0, common = 0;
    for (size_t k = 0; k < n; ++k) {
      const double apart = part.mean[k] - centre[k % p];
      sum += apart * apart / K;
      spread += part.covariance[k * n + k];
      for (size_t l = k % p; l < n; l += p) common += part.covariance[k * n + l];
    }
    sum += spread / K - common / (K * K);
  }
  return sum;
}

double Moments::mean(size_t agent, size_t m) const {
  expects(agent < agents_, "an agent of the problem");
  if (parts_.size() == 1) return parts_[0].mean.at(agent * parts_[0].recursion.width + m);
  return parts_.at(m).mean[agent];
}

double Moments::covariance(size_t k, size_t m, size_t l, size_t j) const {
  expects(k < agents_ && l < agents_, "agents of the problem");
  if (parts_.size() > 1) return m == j ? parts_.at(m).covariance[k * agents_ + l] : 0;
  const size_t p = parts_[0].recursion.width;
  expects(m < p && j < p, "coordinates of the problem");
  return parts_[0].covariance[(k * p + m) * agents_ * p + l * p + j];
}

double escape_bound(double excess_risk, double delta) {
  expects(excess_risk >= 0 && delta > 0, "an excess risk of 0 at least and a height above 0");
  return std::min(1.0, excess_risk / delta);
}

}  // namespace orrery::diffusion
