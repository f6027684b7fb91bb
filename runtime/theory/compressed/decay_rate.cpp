#include "runtime/theory/compressed/decay_rate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/theory/compressed/closed_loop.hpp"

namespace orrery::compressed_theory {
namespace {

constexpr double most_numbers = 2e7;
constexpr double smallest = 1e-150;  // of |x| at the start: what is left there stands for the rest

double length(const double* x, int64_t P) {
  double sum = 0;
  for (int64_t j = 0; j < P; ++j) sum += x[j] * x[j];
  return std::sqrt(sum);
}

// |x| over steps of x <- x - s C(x, k), every row by itself: the slowest of those that do not end at zero. Empty: all do.
std::optional<double> slowest(const Compressor& c, const BankShape& shape, double s, uint64_t seed) {
  const Context ctx;
  const int64_t n = probe_starts, P = shape.parameters;
  const std::vector<uint64_t> seeds(static_cast<size_t>(n), seed);
  std::vector<int32_t> workers;
  for (int32_t r = 0; r < n; ++r) workers.push_back(r);
  Rows rows;
  rows.count = n;
  rows.seed = {seeds.data(), n, Backend::cpu};
  rows.worker = {workers.data(), n, Backend::cpu};
  const auto compression = c.bind(ctx, rows, shape, double{});

  std::vector<double> x(static_cast<size_t>(n * P)), q(x.size()), before;
  for (int64_t r = 0; r < n; ++r)
    for (int64_t j = 0; j < P; ++j)
      x[static_cast<size_t>(r * P + j)] =
          Stream(seed, Draw::probe, static_cast<uint32_t>(r), 0).normal(static_cast<uint32_t>(j));
  for (int64_t r = 0; r < n; ++r) before.push_back(length(x.data() + r * P, P));
  std::vector<std::optional<double>> rate(before.size());
  std::vector<char> done(before.size(), 0);
  const int64_t start = 0;
  for (int64_t k = 0; k < probe_steps; ++k) {
    compression->apply(ctx, rows, Slot{&start, k}, MatrixView<const double>(x.data(), n, P, Backend::cpu),
                       MatrixView<double>(q.data(), n, P, Backend::cpu));
    for (size_t i = 0; i < x.size(); ++i) x[i] -= s * q[i];
    for (int64_t r = 0; r < n; ++r) {
      const auto row = static_cast<size_t>(r);
      if (done[row]) continue;
      const double left = length(x.data() + r * P, P);
      done[row] = !(left > smallest * before[row]);
      if (!done[row]) rate[row] = std::log(before[row] / left) / (s * static_cast<double>(k + 1));
      if (left == 0) rate[row].reset();
      if (done[row]) std::fill_n(x.begin() + r * P, P, 0.0);  // before numbers become subnormal
    }
  }
  std::optional<double> least;
  for (const auto& v : rate)
    if (v) least = least ? std::min(*least, *v) : *v;
  return least;
}

// One node that chases a point at rest: xh <- xh + s C(x - xh), the observer alone.
std::optional<double> exact_rate(LinearMaps& maps, double s) {
  CompressedSpec observer;
  observer.method = CompressedSpec::Method::consensus_flow;
  observer.flow = CompressedSpec::Flow::observer_sigma;
  observer.alpha = 0;
  Mixing alone;
  alone.begin = {0, 0};
  const std::vector<double> one{1.0}, none;
  const auto decay = ClosedLoop(observer, s, one, alone, none, maps).decay(100 * probe_steps, 1e8);
  return decay && std::isfinite(decay->decay) ? std::optional(decay->decay / s) : std::nullopt;
}

}  // namespace

DecayRate decay_rate(const Compressor& c, const BankShape& shape, double s, uint64_t seed, bool probe) {
  const CompressorClass traits = c.traits(shape);
  DecayRate d;
  if (traits.spatio_temporal) d.promised = traits.rate;
  std::string why_not;
  if (const auto maps = LinearMaps::of(c, shape, seed, &why_not)) d.exact = exact_rate(*maps, s);
  if (!probe)
    d.why_not = "probed by `orrery theory` and where [theory] is given";
  else if (traits.keeps_state)
    d.why_not = "the compressor keeps a state of its own";
  else if (static_cast<double>(shape.parameters) * probe_starts * probe_steps > most_numbers)
    d.why_not = "too many parameters to probe";
  else
    d.probed = slowest(c, shape, s, seed);
  if (probe && d.why_not.empty() && !d.probed) d.why_not = "the starts end at zero";
  return d;
}

}  // namespace orrery::compressed_theory
