#include "runtime/compression/kept.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/top_search.hpp"

namespace orrery {
namespace {

using Which = KeepRule::Which;

int64_t most_kept(const KeepRule& rule, int64_t P) {
  return rule.which == Which::block ? (P + rule.blocks - 1) / rule.blocks : rule.k;
}
int64_t kept_in(const KeepRule& rule, int64_t P, int64_t slot) {
  if (rule.which != Which::block) return rule.k;
  const int64_t b = block_at(slot, rule.dwell, rule.blocks);
  return block_begin(b + 1, rule.blocks, P) - block_begin(b, rule.blocks, P);
}

template <class T>
class Kept final : public Projection<T> {
 public:
  Kept(const Context& ctx, const KeepRule& rule, int64_t rows, int64_t P, bool bitmap)
      : rule_(rule), P_(P), m_(most_kept(rule, P)), bitmap_(bitmap), places_(ctx, rows * m_) {}

  void apply(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> x, MatrixView<T> q) override {
    keep<T>(ctx, rows, slot, rule_, x, q);
  }
  int64_t payload() const override { return m_; }
  void gather(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> x, MatrixView<T> y) override {
    keep_places<T>(ctx, rows, slot, rule_, x, places_.view(rows.count, m_));
    keep_gather<T>(ctx, places_.view(rows.count, m_), x, y);
  }
  void scatter(const Context& ctx, const Rows& rows, Slot, MatrixView<const T> y, MatrixView<T> q) override {
    keep_scatter<T>(ctx, places_.view(rows.count, m_), rule_.factor, y, q);
  }

  std::vector<int64_t> where(const RowKey& key, const T* x) const override {
    if (rule_.which != Which::top) return known_where(key);
    std::vector<int64_t> at;
    const TopCut cut = detail::cut_of(x, 0, P_, rule_.k);
    for (int64_t j = 0; j < P_; ++j) {
      const uint64_t bits = detail::magnitude_bits(x[j]);
      if (bits > cut.bits || (bits == cut.bits && j <= cut.last)) at.push_back(j);
    }
    return at;
  }
  void write_where(const std::vector<int64_t>& at, wire::BitWriter& out) const override {
    if (rule_.which != Which::top) return;
    if (!bitmap_) {
      for (const int64_t j : at) out.put(static_cast<uint64_t>(j), wire::index_bits(P_));
      return;
    }
    auto next = at.begin();
    for (int64_t j = 0; j < P_; ++j) {
      const bool kept = next != at.end() && *next == j;
      out.put(kept ? 1 : 0, 1);
      if (kept) ++next;
    }
  }
  std::vector<int64_t> read_where(const RowKey& key, wire::BitReader& in) const override {
    if (rule_.which != Which::top) return known_where(key);
    std::vector<int64_t> at;
    if (bitmap_)
      for (int64_t j = 0; j < P_; ++j) {
        if (in.flag()) at.push_back(j);
      }
    else
      for (int64_t i = 0; i < rule_.k; ++i) at.push_back(static_cast<int64_t>(in.get(wire::index_bits(P_))));
    return at;
  }
  std::vector<T> numbers(const RowKey&, const std::vector<int64_t>& at, const T* x) const override {
    std::vector<T> y(static_cast<size_t>(m_));
    for (size_t i = 0; i < at.size(); ++i) y[i] = x[at[i]];
    return y;
  }
  void place(const RowKey&, const std::vector<int64_t>& at, const T* y, T* q) const override {
    std::fill_n(q, P_, T{0});
    for (size_t i = 0; i < at.size(); ++i) q[at[i]] = detail::kept_value(rule_.factor, y[i]);
  }

 protected:
  int64_t sent(const RowKey& key) const override { return kept_in(rule_, P_, key.step.slot); }

 private:
  std::vector<int64_t> known_where(const RowKey& key) const {
    std::vector<int64_t> at;
    if (rule_.which == Which::drawn) {
      const Permutation drawn = keep_draws(key.seed, rule_.alike ? 0 : key.worker, key.step.key(), P_);
      for (int64_t i = 0; i < rule_.k; ++i) at.push_back(drawn(static_cast<uint32_t>(i)));
    } else {
      const int64_t b = block_at(key.step.slot, rule_.dwell, rule_.blocks);
      for (int64_t j = block_begin(b, rule_.blocks, P_); j < block_begin(b + 1, rule_.blocks, P_); ++j) at.push_back(j);
    }
    return at;
  }
  KeepRule rule_;
  int64_t P_, m_;
  bool bitmap_;
  Buffer<int32_t> places_;
};

}  // namespace

int64_t Sparsifier::payload(const BankShape& s) const { return most_kept(rule(s), s.parameters); }

int64_t Sparsifier::where_bits(const BankShape& s) const {
  const KeepRule r = rule(s);
  if (r.which != Which::top) return 0;
  return bitmap_ ? s.parameters : r.k * wire::index_bits(s.parameters);
}

int64_t Sparsifier::bits(const BankShape& s, int64_t real_bits, int64_t slot) const {
  return where_bits(s) + kept_in(rule(s), s.parameters, slot) * real_bits;
}

int64_t Sparsifier::workspace(Backend b, const BankShape& s, int64_t rows, int64_t size) const {
  const bool searches =
      b == Backend::cpu && rule(s).which == Which::top;  // a row of every thread, for the time of a call
  return 4 * rows * payload(s) + (searches ? threads() * s.parameters * size : 0);
}

std::unique_ptr<Compression<float>> Sparsifier::bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                                     float) const {
  check(s);
  return std::make_unique<Kept<float>>(ctx, rule(s), rows.count, s.parameters, bitmap_);
}
std::unique_ptr<Compression<double>> Sparsifier::bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                                      double) const {
  check(s);
  return std::make_unique<Kept<double>>(ctx, rule(s), rows.count, s.parameters, bitmap_);
}

void KeptNumber::check(const BankShape& s) const {
  if (k > s.parameters)
    throw ExperimentError(
        fmt::format("{}: keeps {} of {} coordinates; give at most {}", place, k, s.parameters, s.parameters));
}

}  // namespace orrery
