#include "runtime/theory/sign_vote/wire_bits.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/core/error.hpp"

namespace orrery::sign_vote {
namespace {

constexpr double real_number = 32;

double count(int64_t n) {
  expects(n >= 1, "one parameter, tensor, worker and round at least");
  return static_cast<double>(n);
}
double bits_for(uint64_t numbers) { return static_cast<double>(std::bit_width(numbers - 1)); }  // ceil(log2(numbers))

}  // namespace

double total_bits(const WireBits& w, int64_t workers, int64_t rounds) {
  return (w.up + w.down) * count(workers) * count(rounds);
}

WireBits gradients(int64_t n) { return {real_number * count(n), real_number * count(n)}; }

WireBits sign_votes(int64_t n, Decoded decoded) {
  return {count(n), decoded == Decoded::sign ? count(n) : std::log2(3.0) * count(n)};
}

WireBits error_feedback(int64_t n, int64_t tensors) {
  return {count(n) + real_number * count(tensors), real_number * count(n)};
}

WireBits two_way_error_feedback(int64_t n, int64_t tensors) {
  const double signs_and_sizes = count(n) + real_number * count(tensors);
  return {signs_and_sizes, signs_and_sizes};
}

double sparse_bits(int64_t n, int64_t kept, Positions positions) {
  expects(kept >= 0 && kept <= n, "0 <= K <= N");
  const double N = count(n), K = static_cast<double>(kept), rest = N - K;
  switch (positions) {
    case Positions::listed: return K * (1 + bits_for(static_cast<uint64_t>(n)));
    case Positions::bitmap: return N + K;
    case Positions::entropy:  // N h2(K/N), nothing where K = 0 or N
      return K + (kept == 0 || kept == n ? 0 : K * std::log2(N / K) + rest * std::log2(N / rest));
  }
  throw std::logic_error("unknown positions");
}

WireBits sparse_sign_votes(int64_t n, int64_t kept, int64_t workers, Positions positions) {
  expects(kept >= 0 && kept <= n, "0 <= K <= N");
  const double union_of_all = std::min(count(workers) * static_cast<double>(kept), count(n));
  return {sparse_bits(n, kept, positions), sparse_bits(n, static_cast<int64_t>(union_of_all), positions)};
}

WireBits averaged_signs(int64_t n, int64_t workers, Mean mean) {
  const double each = mean == Mean::float32 ? real_number : bits_for(static_cast<uint64_t>(count(workers)) + 1);
  return {count(n), each * count(n)};
}

std::vector<double> forwarded_counts(int64_t n, const std::vector<int64_t>& workers_below) {
  std::vector<double> up{count(n)};
  for (const int64_t g : workers_below) up.push_back(count(n) * bits_for(static_cast<uint64_t>(count(g)) + 1));
  return up;
}

}  // namespace orrery::sign_vote
