// dirichlet: every worker has its own class proportions (Hsu, Qi, Brown, arXiv:1909.06335).
//
//   q_w ~ Dirichlet(alpha * C * p),  p[c] = share of class c among all samples, C classes       w = 0..W-1
//   worker w draws its samples one by one without replacement: class from q_w restricted to the classes that are left,
//   then the next sample of that (shuffled) class
//
// On balanced classes q_w is the symmetric Dirichlet(alpha, ..., alpha); the alpha of Hsu et al. is C times ours.
// alpha -> 0: one class a worker, as far as the classes last; alpha -> infinity: the proportions of the whole set.
// Workers draw in random order, since the last ones get what is left. Sizes follow `sizes` (equal), at least min_size.
//
// Kept as logarithms, since with small alpha the gamma variates behind q_w underflow (log_gamma.hpp).
// Cost     W*C gamma variates, W + C tables of C sums, n draws of O(log C).
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "datasets/partition/cut.hpp"
#include "datasets/partition/log_gamma.hpp"

namespace orrery::partition {
namespace {

class Dirichlet final : public Partitioner {
 public:
  explicit Dirichlet(Params& p)
      : alpha_(p.number("alpha", std::nullopt, {.min = 0, .max = 1e9, .min_open = true})),
        min_size_(p.integer("min_size", 1, between(1, 1e9))),
        sizes_(read_sizes(p)) {}

  Partition split(const std::vector<int32_t>& labels, int classes, int64_t workers, uint64_t seed) const override {
    const auto n = static_cast<int64_t>(labels.size());
    const std::vector<int64_t> sizes = part_sizes(sizes_, n, workers, min_size_);
    auto left = by_class(labels, classes, seed);  // taken from the back
    std::vector<double> a(left.size());
    for (size_t c = 0; c < left.size(); ++c)
      a[c] = alpha_ * classes * static_cast<double>(left[c].size()) / static_cast<double>(n);

    std::vector<int32_t> turn = identity(workers);
    shuffle(turn, Stream(seed, Draw::partition, 0, kWorkerOrder));
    std::vector<std::vector<int32_t>> parts(static_cast<size_t>(workers));
    for (const int32_t w : turn) parts[w] = draw_part(left, a, sizes[w], seed, static_cast<uint32_t>(w));
    return join(parts);
  }

 private:
  static std::vector<int32_t> draw_part(std::vector<std::vector<int32_t>>& left, const std::vector<double>& a,
                                        int64_t size, uint64_t seed, uint32_t worker) {
    std::vector<double> log_q(left.size());
    for (size_t c = 0; c < left.size(); ++c)
      if (!left[c].empty())
        log_q[c] =
            log_gamma_variate(a[c], Stream(seed, Draw::partition, worker, kGamma + (static_cast<uint64_t>(c) << 8)));

    const Stream classes(seed, Draw::partition, worker, kWorkerClasses);
    std::vector<double> cumulative(left.size());
    std::vector<int32_t> part;
    part.reserve(static_cast<size_t>(size));
    bool stale = true;
    for (uint32_t k = 0; k < static_cast<uint32_t>(size); ++k) {
      if (stale) restrict_to(left, log_q, cumulative);
      const double u = classes.uniform(k) * cumulative.back();
      const auto c =
          static_cast<size_t>(std::upper_bound(cumulative.begin(), cumulative.end(), u) - cumulative.begin());
      part.push_back(left[c].back());
      left[c].pop_back();
      stale = left[c].empty();
    }
    return part;
  }

  // Running sums of q over the classes that are left, relative to the largest of them: never all zero.
  static void restrict_to(const std::vector<std::vector<int32_t>>& left, const std::vector<double>& log_q,
                          std::vector<double>& cumulative) {
    double largest = -std::numeric_limits<double>::infinity();
    for (size_t c = 0; c < left.size(); ++c)
      if (!left[c].empty()) largest = std::max(largest, log_q[c]);
    double sum = 0;
    for (size_t c = 0; c < left.size(); ++c) cumulative[c] = sum += left[c].empty() ? 0 : std::exp(log_q[c] - largest);
  }

  double alpha_;
  int64_t min_size_;
  Sizes sizes_;
};

}  // namespace

extern const Entry<Partitioner> dirichlet{
    "dirichlet", "class proportions of each worker drawn from Dirichlet(alpha)",
    [](Params& p) -> std::unique_ptr<Partitioner> { return std::make_unique<Dirichlet>(p); }};

}  // namespace orrery::partition
