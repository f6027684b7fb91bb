#include "runtime/voting/measurement.hpp"

#include <cmath>

#include "kernels/sign_errors.hpp"

namespace orrery {
namespace {

void add_mean(double& mean, double x, int64_t n) { mean += (x - mean) / static_cast<double>(n); }
void add_means(std::vector<double>& means, const std::vector<double>& x, int64_t n) {
  means.resize(x.size());
  for (size_t i = 0; i < x.size(); ++i) add_mean(means[i], x[i], n);
}

}  // namespace

void VotePhase::add(const VoteLook& look) {
  add_means(agreement, look.agreement, ++looks);
  if (look.p.empty()) return;
  add_means(p, look.p, ++references);
  add_means(p_weighted, look.p_weighted, references);
  add_mean(decoding_error, look.decoding_error, references);
  add_mean(vote_error, look.vote_error, references);
  decoded += look.decoded;
}

VoteReference::VoteReference(const Context& ctx, const std::vector<double>& gradient)
    : ctx_(ctx), parameters_(static_cast<int64_t>(gradient.size())) {
  std::vector<double> both(2 * gradient.size());
  for (size_t j = 0; j < gradient.size(); ++j) {
    const double g = gradient[j];
    both[j] = g > 0 ? 1 : g < 0 ? -1 : 0;
    both[gradient.size() + j] = g;
    decoded_ += g != 0 ? 1 : 0;
    norm1_ += std::abs(g);
  }
  vectors_ = Buffer<double>(ctx, both);
}

std::vector<VoteReference::Error> VoteReference::errors(const SignsIn& signs) const {
  if (decoded_ == 0) return {};
  const Buffer<double> sums(ctx_, signs.rows() * 2);
  sign_errors(ctx_, signs, vectors_.view(2, parameters_), sums.view(signs.rows(), 2));
  const auto host = sums.to_host(ctx_);
  std::vector<Error> out;
  for (size_t r = 0; r < host.size(); r += 2)
    out.push_back({host[r] / static_cast<double>(decoded_), host[r + 1] / norm1_});
  return out;
}

}  // namespace orrery
