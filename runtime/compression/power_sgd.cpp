// PowerSGD of rank r = `rank` (Vogels, Karimireddy, Jaggi, NeurIPS 2019) with warm start, for every matrix M (n1, n2) among the parameters:
//
//   L <- R M^T,  its rows made orthonormal;   R <- L M;   C = L^T R        L (r, n1), R (r, n2); R stays for the next step
//   shared = true: L before it is made orthonormal, and R, are means over the workers of a replica (the all-reduce), so that all have one C, of
//   the mean of M up to rank r.  false: every worker for itself.
//
//   A matrix of rank r or less is exact. L^T L is a projection: |C(x)| <= |x|, no delta holds for every x.
//   A tensor's first dimension is n1, the product of the others n2; `shape` = [n1, n2] takes all parameters as one matrix. Vectors, and matrices
//   that would not become shorter, are sent whole (shared: their mean). Rows of R that are zero, as at the start, are drawn anew.
//   message: L, then R, of every matrix, r (n1 + n2) b bits; vectors b bits a number. shared: what the all-reduce hands back; what goes in is as long.
#include <fmt/format.h>

#include <map>
#include <numeric>

#include "kernels/batched_gemm.hpp"
#include "kernels/compress_keep.hpp"
#include "kernels/compress_low_rank_host.hpp"
#include "kernels/group_mean.hpp"
#include "runtime/compression/compressor.hpp"

namespace orrery {
namespace {

struct Piece {  // of a row
  int64_t offset = 0, size = 0;
  MatrixRank matrix = {};  // rank 0: sent whole
};

std::vector<Piece> pieces_of(const BankShape& s, int64_t rank) {
  std::vector<Piece> all;
  int64_t offset = 0;
  const std::vector<std::vector<int64_t>> vector{{s.parameters}};
  for (const auto& shape : s.tensors.empty() ? vector : s.tensors) {
    Piece p{.offset = offset, .size = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>())};
    if (shape.size() > 1 && p.size > 0) {
      const int64_t n1 = shape[0], n2 = p.size / n1, r = std::min({rank, n1, n2});
      if (r * (n1 + n2) < p.size) p.matrix = {n1, n2, r};
    }
    if (p.size > 0) all.push_back(p);
    offset += p.size;
  }
  return all;
}

// the rows of each replica, all of equal weight
struct Replicas {
  std::vector<int64_t> begin{0}, member = {};
  std::vector<double> weight = {};
  int64_t largest = 0;
};
Replicas replicas_of(const Context& ctx, const Rows& rows) {
  std::map<uint64_t, std::vector<int64_t>> of_seed;
  const std::vector<uint64_t> seed = to_host(ctx, rows.seed);
  for (int64_t r = 0; r < rows.count; ++r) of_seed[seed[static_cast<size_t>(r)]].push_back(r);
  Replicas all;
  for (const auto& [_, members] : of_seed) {
    all.member.insert(all.member.end(), members.begin(), members.end());
    all.weight.insert(all.weight.end(), members.size(), 1 / static_cast<double>(members.size()));
    all.begin.push_back(static_cast<int64_t>(all.member.size()));
    all.largest = std::max(all.largest, static_cast<int64_t>(members.size()));
  }
  return all;
}

template <class T>
class LowRank final : public Compression<T> {
 public:
  LowRank(const Context& ctx, const Rows& rows, std::vector<Piece> pieces, bool shared)
      : ctx_(&ctx), pieces_(std::move(pieces)), shared_(shared), rows_(rows.count) {
    for (const Piece& p : pieces_) {
      left_.emplace_back(ctx, p.matrix.rank > 0 ? rows_ * p.matrix.rank * p.matrix.n1 : shared ? rows_ * p.size : 0);
      right_.emplace_back(ctx, rows_ * p.matrix.rank * p.matrix.n2);
    }
    const Replicas replicas = replicas_of(ctx, rows);
    begin_ = {ctx, replicas.begin}, member_ = {ctx, replicas.member}, weight_ = {ctx, replicas.weight};
    replicas_ = {.nodes = begin_.size() - 1,
                 .largest = replicas.largest,
                 .begin = begin_.view(),
                 .member = member_.view(),
                 .weight = weight_.view()};
  }

  void apply(const Context& ctx, const Rows& rows, Slot slot, MatrixView<const T> x, MatrixView<T> q) override {
    const auto copy = [&](MatrixView<const T> from, MatrixView<T> to) {
      keep<T>(ctx, rows, slot, {.which = KeepRule::Which::block, .blocks = 1}, from, to);
    };
    for (size_t i = 0; i < pieces_.size(); ++i) {
      const Piece& p = pieces_[i];
      const MatrixView<const T> from = x.columns(p.offset, p.size);
      const MatrixView<T> to = q.columns(p.offset, p.size);
      if (p.matrix.rank > 0) {
        factor(ctx, rows, slot, p.matrix, from, left(i), right(i));
        low_rank_expand<T>(ctx, p.matrix, left(i), right(i), to);
      } else if (shared_) {
        copy(from, left(i));
        average(ctx, left(i));
        copy(left(i), to);
      } else {
        copy(from, to);
      }
    }
  }
  std::vector<MatrixView<T>> state() override {
    std::vector<MatrixView<T>> all;
    for (size_t i = 0; i < pieces_.size(); ++i)
      if (pieces_[i].matrix.rank > 0) all.push_back(right(i));
    return all;
  }

  void pack(const RowKey& key, const T* x, wire::BitWriter& out) const override {
    const auto put = [&](const std::vector<T>& numbers) {
      for (const T v : numbers) out.real(v);
    };
    for (size_t i = 0; i < pieces_.size(); ++i) {
      const Piece& p = pieces_[i];
      if (p.matrix.rank > 0 || shared_) put(row_of(left_[i], key.row));
      if (p.matrix.rank > 0)
        put(row_of(right_[i], key.row));
      else if (!shared_)
        put({x + p.offset, x + p.offset + p.size});
    }
  }
  void unpack(const RowKey&, wire::BitReader& in, T* q) const override {
    const auto get = [&](int64_t n) {
      std::vector<T> numbers;
      for (int64_t j = 0; j < n; ++j) numbers.push_back(in.real<T>());
      return numbers;
    };
    for (const Piece& p : pieces_) {
      const auto [n1, n2, r] = p.matrix;
      const std::vector<T> first = get(r > 0 ? r * n1 : p.size), second = get(r * n2);
      if (r > 0)
        detail::expand_row(p.matrix, first.data(), second.data(), q + p.offset);
      else
        std::copy(first.begin(), first.end(), q + p.offset);
    }
  }

 private:
  // L <- R M^T, orthonormal; R <- L M
  void factor(const Context& ctx, const Rows& rows, Slot slot, const MatrixRank& m, MatrixView<const T> from,
              MatrixView<T> left, MatrixView<T> right) const {
    const Operand<const T> matrix{from.data(), m.n2, from.stride()},
        transposed{from.data(), m.n2, from.stride(), /*transposed=*/true};
    low_rank_start<T>(ctx, rows, slot, m, shared_, right);
    batched_gemm<T>(ctx, m.rank, m.n1, m.n2, T{1}, {right.data(), m.n2, right.stride()}, transposed, T{0},
                    {left.data(), m.n1, left.stride()}, rows_);
    average(ctx, left);
    orthonormalise<T>(ctx, m.rank, left);
    batched_gemm<T>(ctx, m.rank, m.n2, m.n1, T{1}, {left.data(), m.n1, left.stride()}, matrix, T{0},
                    {right.data(), m.n2, right.stride()}, rows_);
    average(ctx, right);
  }
  void average(const Context& ctx, MatrixView<T> x) const {
    if (shared_) group_average<T>(ctx, replicas_, x);
  }
  MatrixView<T> left(size_t i) const { return left_[i].view(rows_, left_[i].size() / std::max<int64_t>(rows_, 1)); }
  MatrixView<T> right(size_t i) const { return right_[i].view(rows_, right_[i].size() / std::max<int64_t>(rows_, 1)); }
  std::vector<T> row_of(const Buffer<T>& bank, int64_t row) const {
    const int64_t n = bank.size() / rows_;
    return bank.to_host(*ctx_, row * n, n);
  }

  const Context* ctx_;
  std::vector<Piece> pieces_;
  bool shared_;
  int64_t rows_;
  std::vector<Buffer<T>> left_, right_;
  Buffer<int64_t> begin_, member_;
  Buffer<double> weight_;
  GroupTable replicas_;
};

class PowerSgd final : public Compressor {
 public:
  explicit PowerSgd(Params& p)
      : rank_(p.integer("rank", std::nullopt, at_least(1))), shared_(p.flag("shared", true)), place_(p.place("rank")) {
    if (!p.has("shape")) return;
    shape_ = p.integers("shape", at_least(1));
    shape_place_ = p.place("shape");
    if (shape_.size() != 2) p.fail("shape", fmt::format("has {} numbers; give [rows, columns]", shape_.size()));
  }
  std::string kind() const override { return "power-sgd"; }
  void check(const BankShape& s) const override {
    if (!shape_.empty() && shape_[0] * shape_[1] != s.parameters)
      throw ExperimentError(fmt::format("{}: {} x {} is not the number of parameters, {}; give two factors of it",
                                        shape_place_, shape_[0], shape_[1], s.parameters));
    const auto all = pieces(s);
    if (std::none_of(all.begin(), all.end(), [](const Piece& p) { return p.matrix.rank > 0; }))
      throw ExperimentError(fmt::format(
          "{}: no matrix among the parameters becomes shorter at rank {}; lower it, or give shape = [rows, columns]",
          place_, rank_));
  }
  CompressorClass traits(const BankShape&) const override {
    return {.bound = 1,
            .spatio_temporal = false,
            .time_varying = true,
            .alike = shared_,
            .keeps_state = true,
            .reason = "a low-rank basis may miss any part of a matrix"};
  }
  int64_t bits(const BankShape& s, int64_t real_bits, int64_t) const override {
    int64_t numbers = 0;
    for (const Piece& p : pieces(s))
      numbers += p.matrix.rank > 0 ? p.matrix.rank * (p.matrix.n1 + p.matrix.n2) : p.size;
    return numbers * real_bits;
  }
  int64_t workspace(Backend, const BankShape& s, int64_t rows, int64_t size) const override {
    int64_t numbers = 0;
    for (const Piece& p : pieces(s))
      numbers += p.matrix.rank > 0 ? p.matrix.rank * (p.matrix.n1 + p.matrix.n2) : shared_ ? p.size : 0;
    return rows * (numbers * size + 24);
  }
  std::unique_ptr<Compression<float>> bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                           float) const override {
    check(s);
    return std::make_unique<LowRank<float>>(ctx, rows, pieces(s), shared_);
  }
  std::unique_ptr<Compression<double>> bind(const Context& ctx, const Rows& rows, const BankShape& s,
                                            double) const override {
    check(s);
    return std::make_unique<LowRank<double>>(ctx, rows, pieces(s), shared_);
  }

 private:
  std::vector<Piece> pieces(const BankShape& s) const {
    return pieces_of(shape_.empty() ? s : BankShape{s.parameters, {shape_}}, rank_);
  }
  int64_t rank_;
  bool shared_;
  std::vector<int64_t> shape_;
  std::string place_, shape_place_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> power_sgd{
    "power-sgd", "matrices to low rank, the basis kept from step to step",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<PowerSgd>(p); }};
}
}  // namespace orrery
