// Scalarizer: C(x, t) = psi(t) psi(t)^T x with the directions psi given, times P where `scaled`.
//
//   psi(t) = row floor(t / dwell) mod M of `psi`: an array of M arrays of P numbers, or "file.npy" of shape (M, P)
//   uniformly exponentially stable exactly where the rows span all of R^P (persistent excitation)
//   message: b bits
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "kernels/core/npy.hpp"
#include "runtime/compression/probed.hpp"

namespace orrery {
namespace {

// dimensions that the rows span, by orthogonalising them twice; a part below 1e-9 of its row counts as none
int64_t rank_of(const std::vector<double>& rows, int64_t P) {
  std::vector<std::vector<double>> basis;
  for (size_t at = 0; at < rows.size() && static_cast<int64_t>(basis.size()) < P; at += static_cast<size_t>(P)) {
    std::vector<double> v(rows.begin() + static_cast<int64_t>(at), rows.begin() + static_cast<int64_t>(at) + P);
    const auto length = [&] {
      double sum = 0;
      for (const double x : v) sum += x * x;
      return std::sqrt(sum);
    };
    const double before = length();
    for (int pass = 0; pass < 2; ++pass)
      for (const auto& b : basis) {
        double product = 0;
        for (size_t j = 0; j < v.size(); ++j) product += b[j] * v[j];
        for (size_t j = 0; j < v.size(); ++j) v[j] -= product * b[j];
      }
    const double left = length();
    if (!(left > 1e-9 * before)) continue;
    for (double& x : v) x /= left;
    basis.push_back(std::move(v));
  }
  return static_cast<int64_t>(basis.size());
}

class GivenScalarizer final : public Scalarizer {
 public:
  explicit GivenScalarizer(Params& p) : dwell_(p.integer("dwell", 1, at_least(1))), place_(p.place("psi")) {
    scaled_ = p.flag("scaled", false);
    if (p.is_text("psi"))
      read_file(p);
    else
      read_rows(p);
    for (const double v : psi_)
      if (!std::isfinite(v)) p.fail("psi", "holds numbers that are not finite; give finite ones");
    for (size_t at = 0; at < psi_.size(); at += static_cast<size_t>(columns_)) {
      double sum = 0;
      for (int64_t j = 0; j < columns_; ++j)
        sum += psi_[at + static_cast<size_t>(j)] * psi_[at + static_cast<size_t>(j)];
      if (sum == 0)
        p.fail("psi",
               fmt::format("direction {} is zero and sends nothing; leave it out", at / static_cast<size_t>(columns_)));
      longest_ = std::max(longest_, sum);
    }
    rank_ = rank_of(psi_, columns_);
  }
  std::string kind() const override { return "scalarizer"; }
  ProbeRule rule() const override { return {.family = ProbeRule::Family::cycle, .dwell = dwell_}; }
  const std::vector<double>* given() const override { return &psi_; }
  void check(const BankShape& s) const override {
    if (columns_ != s.parameters)
      throw ExperimentError(fmt::format("{}: has directions of {} numbers for {} parameters; give {}", place_, columns_,
                                        s.parameters, s.parameters));
  }
  CompressorClass traits(const BankShape& s) const override {
    CompressorClass c{
        .bound = longest_ * factor(s), .linear = true, .time_varying = psi_.size() > static_cast<size_t>(columns_)};
    c.spatio_temporal = c.strong = rank_ == columns_;
    if (!c.strong) c.reason = fmt::format("the directions span {} of {} dimensions", rank_, columns_);
    return c;
  }

 private:
  void read_file(Params& p) {
    NpyArray a;
    try {
      a = read_npy(p.file_path("psi"));
    } catch (const DataError& e) {
      p.fail("psi", e.what());
    }
    if (a.shape.size() != 2 || a.values.empty())
      p.fail("psi", "the .npy file does not have the shape (M, P); save that");
    columns_ = a.shape[1];
    psi_ = std::move(a.values);
  }
  void read_rows(Params& p) {
    if (!p.has("psi")) p.fail_missing("psi", "an array of directions, each an array of P numbers, or a .npy file");
    for (const auto& row : p.number_rows("psi")) {
      if (columns_ == 0) columns_ = static_cast<int64_t>(row.size());
      if (row.empty() || static_cast<int64_t>(row.size()) != columns_)
        p.fail("psi",
               fmt::format("direction {} has {} numbers, the first {}; give all the same number",
                           static_cast<int64_t>(psi_.size()) / std::max<int64_t>(columns_, 1), row.size(), columns_));
      psi_.insert(psi_.end(), row.begin(), row.end());
    }
  }

  int64_t dwell_, columns_ = 0, rank_ = 0;
  std::vector<double> psi_;
  double longest_ = 0;  // |psi|^2
  std::string place_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> scalarizer{
    "scalarizer", "one number: the product with directions that are given",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<GivenScalarizer>(p); }};
}
}  // namespace orrery
