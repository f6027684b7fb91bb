#include "runtime/theory/compressed/linear_maps.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/compress_project_host.hpp"
#include "runtime/compression/kept.hpp"
#include "runtime/compression/probed.hpp"

namespace orrery::compressed_theory {
namespace {

class Everything final : public LinearMaps {
 public:
  explicit Everything(int64_t P) : LinearMaps(P, true, true, 1) {}

 private:
  void fill(int64_t, int64_t, double* row) const override { std::fill_n(row, parameters(), 1.0); }
};

// Blocks in turn, or coordinates that are drawn.
class Kept final : public LinearMaps {
 public:
  Kept(const KeepRule& rule, int64_t P, uint64_t seed)
      : LinearMaps(P, true, rule.which != KeepRule::Which::drawn || rule.alike,
                   rule.which == KeepRule::Which::block ? rule.blocks * (rule.blocks > 1 ? rule.dwell : 1)
                   : rule.which == KeepRule::Which::top || rule.k == P ? 1
                                                                       : 0),
        rule_(rule),
        seed_(seed) {}

 private:
  void fill(int64_t slot, int64_t worker, double* row) const override {
    const int64_t P = parameters();
    using Which = KeepRule::Which;
    std::fill_n(row, P, rule_.which == Which::top ? rule_.factor : 0.0);  // linear top-k keeps all
    if (rule_.which == Which::block) {
      const int64_t b = block_at(slot, rule_.dwell, rule_.blocks);
      for (int64_t j = block_begin(b, rule_.blocks, P); j < block_begin(b + 1, rule_.blocks, P); ++j)
        row[j] = rule_.factor;
    } else if (rule_.which == Which::drawn) {
      const auto who = static_cast<int32_t>(rule_.alike ? 0 : worker);
      const Permutation pi = keep_draws(seed_, who, Step(slot).key(), P);
      for (int64_t i = 0; i < rule_.k; ++i) row[pi(static_cast<uint32_t>(i))] = rule_.factor;
    }
  }
  KeepRule rule_;
  uint64_t seed_;
};

class Probed final : public LinearMaps {
 public:
  Probed(const Scalarizer& s, const BankShape& shape, uint64_t seed)
      : LinearMaps(shape.parameters, false, s.rule().family != ProbeRule::Family::normal || s.rule().alike,
                   s.given() ? s.rule().dwell * static_cast<int64_t>(s.given()->size()) / shape.parameters : 0),
        rule_(s.rule()),
        given_(s.given() ? *s.given() : std::vector<double>{}),
        seed_(seed) {
    factor_ = s.factor(shape);
    if (!given_.empty())
      rule_.given = {given_.data(), static_cast<int64_t>(given_.size()) / shape.parameters, shape.parameters,
                     Backend::cpu};
  }

 private:
  void fill(int64_t slot, int64_t worker, double* row) const override {
    detail::probe_row(rule_, seed_, static_cast<int32_t>(worker), slot, row, parameters());
  }
  ProbeRule rule_;
  std::vector<double> given_;
  uint64_t seed_;
};

}  // namespace

std::unique_ptr<LinearMaps> LinearMaps::identity(int64_t parameters) {
  return std::make_unique<Everything>(parameters);
}

std::unique_ptr<LinearMaps> LinearMaps::of(const Compressor& c, const BankShape& shape, uint64_t seed,
                                           std::string* why_not) {
  if (!c.traits(shape).linear) return *why_not = fmt::format("\"{}\" is not linear", c.kind()), nullptr;
  if (const auto* kept = dynamic_cast<const Sparsifier*>(&c))
    return std::make_unique<Kept>(kept->rule(shape), shape.parameters, seed);
  if (const auto* probed = dynamic_cast<const Scalarizer*>(&c)) return std::make_unique<Probed>(*probed, shape, seed);
  return *why_not = "one compressor after another is not written out as a matrix", nullptr;
}

void LinearMaps::at(int64_t slot, int64_t workers) {
  if (period_ > 0) slot %= period_;
  if (slot == slot_) return;
  slot_ = slot;
  const int64_t rows = alike_ ? 1 : workers;
  rows_.resize(static_cast<size_t>(rows * parameters_));
  for (int64_t r = 0; r < rows; ++r) fill(slot, r, rows_.data() + r * parameters_);
}

void LinearMaps::apply(int64_t worker, int64_t first, int64_t m, const double* x, double* out) const {
  const double* row = rows_.data() + (alike_ ? 0 : worker * parameters_);
  if (diagonal_) {
    for (int64_t j = 0; j < m; ++j) out[j] = row[first + j] * x[j];
    return;
  }
  double y = 0;
  for (int64_t j = 0; j < m; ++j) y += row[j] * x[j];
  for (int64_t j = 0; j < m; ++j) out[j] = factor_ * row[j] * y;
}

}  // namespace orrery::compressed_theory
