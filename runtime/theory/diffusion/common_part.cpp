#include "runtime/theory/diffusion/common_part.hpp"

#include "runtime/theory/diffusion/axes.hpp"
#include "runtime/theory/diffusion/mode_theory.hpp"

namespace orrery::diffusion {

double common_part(const LinearProblem& p, double n) {
  check(p);
  const Axes a = axes(p.mean_hessian(), p.dimension, p.diagonal);
  const std::vector<double> r = a.variance(p.mean_noise().data());
  double sum = 0;
  for (size_t m = 0; m < r.size(); ++m) {
    const double x = p.step * a.h[m];  // (1 - (1-x)^2n) / (x (2-x)) is the sum of (1-x)^2t over t < n
    if (x != 0 && r[m] != 0) sum += x * r[m] * geometric_sum(x * (2 - x), n);
  }
  return p.step / (2 * static_cast<double>(p.agents) * p.batch) * sum;
}

double common_part_early(const LinearProblem& p, double n) {
  check(p);
  const std::vector<double> H = p.mean_hessian(), R = p.mean_noise();
  double trace = 0;
  for (size_t i = 0; i < H.size(); ++i) trace += H[i] * R[i];  // Tr(H R) of symmetric or diagonal matrices
  return p.step * p.step * n / (2 * static_cast<double>(p.agents) * p.batch) * trace;
}

double common_part_late(const LinearProblem& p) {
  check(p);
  const std::vector<double> r = axes(p.mean_hessian(), p.dimension, p.diagonal).variance(p.mean_noise().data());
  double trace = 0;
  for (const double x : r) trace += x;
  return p.step / (4 * static_cast<double>(p.agents) * p.batch) * trace;
}

}  // namespace orrery::diffusion
