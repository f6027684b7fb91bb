#include "runtime/compression/probed.hpp"

#include <map>

#include "kernels/compress_project_host.hpp"

namespace orrery {
namespace {

// Which rows share a direction: all, those of one replica, or none.
struct Directions {
  std::vector<int32_t> lead, which;
};
Directions directions_of(const Context& ctx, const Rows& rows, const ProbeRule& rule) {
  Directions d;
  if (rule.family != ProbeRule::Family::normal) {
    d.lead.push_back(0);
    d.which.assign(static_cast<size_t>(rows.count), 0);
    return d;
  }
  const std::vector<uint64_t> seed = to_host(ctx, rows.seed);
  std::map<uint64_t, int32_t> of_seed;
  for (int32_t r = 0; r < static_cast<int32_t>(rows.count); ++r) {
    const auto [at, fresh] = of_seed.try_emplace(seed[static_cast<size_t>(r)], static_cast<int32_t>(d.lead.size()));
    if (fresh || !rule.alike) {
      d.which.push_back(static_cast<int32_t>(d.lead.size()));
      d.lead.push_back(r);
    } else {
      d.which.push_back(at->second);
    }
  }
  return d;
}

template <class T>
class Probed final : public Projection<T> {
 public:
  Probed(const Context& ctx, const Rows& rows, const ProbeRule& rule, const std::vector<double>* given, int64_t P,
         double factor)
      : Probed(ctx, directions_of(ctx, rows, rule), rule, given, P, factor, rows.count) {}

  void apply(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> x, MatrixView<T> q) override {
    fill(ctx, rows, slot);
    scalarize<T>(ctx, psi(), which_.view(), factor_, x, y_.view(rows.count, 1), q);
  }
  int64_t payload() const override { return 1; }
  void gather(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> x, MatrixView<T> y) override {
    fill(ctx, rows, slot);
    scalarize<T>(ctx, psi(), which_.view(), factor_, x, y, {});
  }
  void scatter(const Context& ctx, const Rows& rows, Slot, MatrixView<const T> y, MatrixView<T> q) override {
    const MatrixView<T> sent(const_cast<T*>(y.data()), rows.count, 1, y.stride(), y.where());  // read only without x
    scalarize<T>(ctx, psi(), which_.view(), factor_, {}, sent, q);
  }

  std::vector<int64_t> where(const RowKey&, const T*) const override { return {}; }
  std::vector<int64_t> read_where(const RowKey&, wire::BitReader&) const override { return {}; }
  std::vector<T> numbers(const RowKey& key, const std::vector<int64_t>&, const T* x) const override {
    return {detail::probe_product(host_psi(key).data(), x, P_)};
  }
  void place(const RowKey& key, const std::vector<int64_t>&, const T* y, T* q) const override {
    const std::vector<double> psi = host_psi(key);
    for (int64_t j = 0; j < P_; ++j) q[j] = detail::expanded(factor_, psi[static_cast<size_t>(j)], y[0]);
  }

 private:
  Probed(const Context& ctx, Directions d, const ProbeRule& rule, const std::vector<double>* given, int64_t P,
         double factor, int64_t rows)
      : rule_(rule),
        P_(P),
        directions_(static_cast<int64_t>(d.lead.size())),
        factor_(factor),
        host_given_(given ? *given : std::vector<double>{}),
        given_(ctx, host_given_),
        psi_(ctx, directions_ * P),
        lead_(ctx, d.lead),
        which_(ctx, d.which),
        y_(ctx, rows) {}
  MatrixView<const double> psi() const { return psi_.view(directions_, P_); }
  void fill(const Context& ctx, const Rows& rows, Slot slot) {
    ProbeRule rule = rule_;
    if (given_.size() > 0) rule.given = given_.view(given_.size() / P_, P_);
    probe_fill(ctx, rows, slot, rule, lead_.view(), psi_.view(directions_, P_));
  }
  std::vector<double> host_psi(const RowKey& key) const {
    ProbeRule rule = rule_;
    if (!host_given_.empty())
      rule.given = {host_given_.data(), static_cast<int64_t>(host_given_.size()) / P_, P_, Backend::cpu};
    std::vector<double> psi(static_cast<size_t>(P_));
    detail::probe_row(rule, key.seed, key.worker, key.step.slot, psi.data(), P_);
    return psi;
  }

  ProbeRule rule_;
  int64_t P_, directions_;
  double factor_;
  std::vector<double> host_given_;
  Buffer<double> given_, psi_;
  Buffer<int32_t> lead_, which_;
  Buffer<T> y_;
};

template <class T>
std::unique_ptr<Compression<T>> bound(const Scalarizer& s, const Context& ctx, const Rows& rows, const BankShape& shape,
                                      double factor) {
  s.check(shape);
  return std::make_unique<Probed<T>>(ctx, rows, s.rule(), s.given(), shape.parameters, factor);
}

}  // namespace

int64_t Scalarizer::workspace(Backend, const BankShape& s, int64_t rows, int64_t size) const {
  // the most: where workers share a direction only their replicas have one each
  const ProbeRule r = rule();
  const int64_t directions = r.family == ProbeRule::Family::normal && !r.alike ? rows : 1;
  return 8 * directions * s.parameters + (given() ? 8 * static_cast<int64_t>(given()->size()) : 0) + rows * (8 + size);
}
std::unique_ptr<Compression<float>> Scalarizer::bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                                     float) const {
  return bound<float>(*this, ctx, rows, s, factor(s));
}
std::unique_ptr<Compression<double>> Scalarizer::bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                                      double) const {
  return bound<double>(*this, ctx, rows, s, factor(s));
}

}  // namespace orrery
