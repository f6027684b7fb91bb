#include "runtime/compressed/method.hpp"

#include <algorithm>
#include <cmath>

namespace orrery {

template <class T>
std::vector<double> CompressedMethod<T>::numbers(MatrixView<const T> x) const {
  const auto all = to_host(p_.ctx, x);
  return {all.begin(), all.end()};
}

template <class T>
std::vector<double> CompressedMethod<T>::sums(const Buffer<T>& b) const {
  const auto all = host(b);
  const auto P = static_cast<size_t>(p_.parameters), W = static_cast<size_t>(p_.workers);
  std::vector<double> sum(P == 0 ? 0 : all.size() / W);
  for (size_t i = 0; i < all.size(); ++i) sum[i / P / W * P + i % P] += static_cast<double>(all[i]);
  return sum;
}

template <class T>
Invariant CompressedMethod<T>::sums_to(const std::string& what, const Buffer<T>& b,
                                       const std::vector<double>& constant) const {
  Invariant found{what};
  const auto now = sums(b);
  for (size_t j = 0; j < now.size(); ++j) found.off = std::max(found.off, std::abs(now[j] - constant[j]));
  for (const T v : host(b)) found.size = std::max(found.size, std::abs(static_cast<double>(v)));
  found.size *= static_cast<double>(p_.workers);
  return found;
}

template <class T>
Invariant CompressedMethod<T>::is_laplacian_of(const std::string& what, const Buffer<T>& z, const Buffer<T>& x) const {
  Invariant found{what};
  const auto have = host(z), from = host(x);
  const auto begin = to_host(p_.ctx, p_.laplacian->table().begin),
             source = to_host(p_.ctx, p_.laplacian->table().source);
  const auto weight = to_host(p_.ctx, p_.laplacian->table().weight);
  const auto P = static_cast<size_t>(p_.parameters);
  std::vector<double> want(P);
  for (size_t r = 0; r + 1 < begin.size(); ++r) {
    std::fill(want.begin(), want.end(), 0.0);
    for (auto e = static_cast<size_t>(begin[r]); e < static_cast<size_t>(begin[r + 1]); ++e)
      for (size_t j = 0; j < P; ++j) {
        const double term = weight[e] * static_cast<double>(from[static_cast<size_t>(source[e]) * P + j]);
        want[j] += term;
        found.size = std::max(found.size, std::abs(term));
      }
    for (size_t j = 0; j < P; ++j)
      found.off = std::max(found.off, std::abs(static_cast<double>(have[r * P + j]) - want[j]));
  }
  return found;
}

template <class T>
std::unique_ptr<CompressedMethod<T>> make_method(const MethodParts<T>& p) {
  using Method = CompressedSpec::Method;
  switch (p.spec.method) {
    case Method::consensus_flow:
    case Method::primal_dual:
    case Method::compressed_primal_dual: return detail::make_flow(p);
    case Method::choco_gossip:
    case Method::choco_sgd: return detail::make_choco(p);
    case Method::ef_sgd:
    case Method::ef21: return detail::make_feedback(p);
    default: return detail::make_lead(p);
  }
}

#define ORRERY_INSTANTIATE(T)         \
  template class CompressedMethod<T>; \
  template std::unique_ptr<CompressedMethod<T>> make_method<T>(const MethodParts<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
