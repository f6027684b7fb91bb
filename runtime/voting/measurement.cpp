#include "runtime/voting/measurement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/sign_errors.hpp"

namespace orrery {
namespace {

constexpr int octaves = 12;  // classes of one vote

void add_mean(double& mean, double x, int64_t n) { mean += (x - mean) / static_cast<double>(n); }
void add_means(std::vector<double>& means, const std::vector<double>& x, int64_t n) {
  means.resize(x.size());
  for (size_t i = 0; i < x.size(); ++i) add_mean(means[i], x[i], n);
}

// The gradient by classes: their keys ascending, a bit for every coordinate that is of the class, and how many and how much they are.
struct Classes {
  std::vector<int> key;
  std::vector<uint32_t> positive, bits;  // (words) signs; (classes, words)
  std::vector<int64_t> decoded;
  std::vector<double> sum;
};
Classes classes_of(const std::vector<double>& gradient) {
  Classes out;
  double largest = 0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  const int lowest = std::ilogb(largest) - octaves + 1;
  const auto words = static_cast<size_t>(sign_words(static_cast<int64_t>(gradient.size())));
  std::vector<int> place(octaves, -1);  // among the classes that occur
  const auto octave = [&](double g) { return static_cast<size_t>(std::max(std::ilogb(g), lowest) - lowest); };
  for (const double g : gradient)
    if (g != 0) place[octave(g)] = 0;
  for (int k = 0; k < octaves; ++k)
    if (place[static_cast<size_t>(k)] == 0) {
      place[static_cast<size_t>(k)] = static_cast<int>(out.key.size());
      out.key.push_back(lowest + k);
    }
  out.positive.resize(words);
  out.bits.resize(out.key.size() * words);
  out.decoded.resize(out.key.size());
  out.sum.resize(out.key.size());
  for (size_t n = 0; n < gradient.size(); ++n) {
    const double g = gradient[n];
    if (g == 0) continue;
    const auto c = static_cast<size_t>(place[octave(g)]);
    out.bits[c * words + n / 32] |= uint32_t{1} << (n % 32);
    if (g > 0) out.positive[n / 32] |= uint32_t{1} << (n % 32);
    ++out.decoded[c];
    out.sum[c] += std::abs(g);
  }
  return out;
}

}  // namespace

std::vector<double> VoteClass::p() const {
  std::vector<double> out;
  for (const int64_t m : missed_by) out.push_back(static_cast<double>(m) / (2 * static_cast<double>(decoded)));
  return out;
}

void VotePhase::add(const VoteLook& look) {
  add_means(agreement, look.agreement, ++looks);
  if (look.p.empty()) return;
  add_means(p, look.p, ++references);
  add_means(p_weighted, look.p_weighted, references);
  add_mean(decoding_error, look.decoding_error, references);
  add_mean(vote_error, look.vote_error, references);
  decoded += look.decoded;
  for (const auto& [key, part] : look.classes) {
    VoteClass& all = classes[key];
    all.share += part.share;
    all.weight += part.weight;
    all.decoded += part.decoded;
    all.missed += part.missed;
    all.missed_by.resize(part.missed_by.size());
    for (size_t m = 0; m < part.missed_by.size(); ++m) all.missed_by[m] += part.missed_by[m];
  }
}

void look_at_errors(const Context& ctx, const std::vector<double>& gradient, const SignsIn& decided,
                    const SignsIn& sent, VoteLook& look) {
  double norm = 0;
  for (const double g : gradient) norm += std::abs(g);
  if (!std::isfinite(norm)) {  // the run ends
    look.vote_error = std::numeric_limits<double>::quiet_NaN();
    return;
  }
  if (norm == 0) return;
  const int64_t workers = sent.rows(), words = sent.words();

  // weighted by the gradient: the decision, then the workers
  const Buffer<double> g(ctx, gradient), lost(ctx, 1 + workers);
  sign_errors(ctx, decided, g.view(), lost.view().part(0, 1));
  sign_errors(ctx, sent, g.view(), lost.view().part(1, workers));
  const auto weighted = lost.to_host(ctx);
  look.vote_error = weighted[0] / norm;
  for (size_t m = 1; m < weighted.size(); ++m) look.p_weighted.push_back(weighted[m] / norm);

  // counted by classes; all of them together are the shares
  const Classes classes = classes_of(gradient);
  const auto n = static_cast<int64_t>(classes.key.size());
  const Buffer<uint32_t> positive(ctx, classes.positive), bits(ctx, classes.bits);
  const Buffer<int64_t> counts(ctx, (1 + workers) * n);
  const SignsIn reference{sent.coordinates, positive.view(1, words), {}};
  const MatrixView<const uint32_t> masks = bits.view(n, words);
  count_errors(ctx, decided, reference, masks, counts.view(1, n));
  count_errors(ctx, sent, reference, masks, MatrixView<int64_t>(counts.data() + n, workers, n, ctx.backend));
  const auto missed = counts.to_host(ctx);
  std::vector<int64_t> all(static_cast<size_t>(1 + workers));
  for (const int64_t c : classes.decoded) look.decoded += c;
  for (size_t c = 0; c < classes.key.size(); ++c) {
    VoteClass& part = look.classes[classes.key[c]];
    part.decoded = classes.decoded[c];
    part.share = static_cast<double>(part.decoded) / static_cast<double>(look.decoded);
    part.weight = classes.sum[c] / norm;
    for (size_t r = 0; r < all.size(); ++r) {
      const int64_t count = missed[r * classes.key.size() + c];
      all[r] += count;
      if (r == 0)
        part.missed = count;
      else
        part.missed_by.push_back(count);
    }
  }
  const double signs = 2 * static_cast<double>(look.decoded);
  look.decoding_error = static_cast<double>(all[0]) / signs;
  for (size_t m = 1; m < all.size(); ++m) look.p.push_back(static_cast<double>(all[m]) / signs);
}

}  // namespace orrery
