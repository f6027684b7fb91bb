// Shared by the tests: the backends, guarded matrices, rows and samples on the backend's side, counted tolerances.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/core/buffer.hpp"
#include "kernels/core/context.hpp"
#include "kernels/core/rng.hpp"
#include "kernels/rows.hpp"

namespace orrery {

inline void PrintTo(Backend b, std::ostream* out) { *out << name(b); }  // for GoogleTest

namespace test {

// ---- backends
// --------------------------------------------------------------------------------------------------------

// One context per backend for the whole program; never destroyed, so that no device is used after the runtime has gone.
inline const Context& context(Backend backend) {
  static const Context* const contexts[2] = {new Context(Backend::cpu),
                                             cuda_available() ? new Context(Backend::cuda) : nullptr};
  const Context* ctx = contexts[backend == Backend::cuda];
  if (!ctx) throw DeviceError("no CUDA device answers");
  return *ctx;
}

class OnEachBackend : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (GetParam() == Backend::cuda && !cuda_available())
      GTEST_SKIP() << "no CUDA device answers here; this case was not run";
  }
  static bool on_cpu() { return GetParam() == Backend::cpu; }
  static const Context& ctx() { return context(GetParam()); }
};

inline std::string backend_name(const testing::TestParamInfo<Backend>& info) { return name(info.param); }

#ifdef ORRERY_WITH_CUDA
#define ORRERY_EACH_BACKEND ::testing::Values(::orrery::Backend::cpu, ::orrery::Backend::cuda)
#else
#define ORRERY_EACH_BACKEND ::testing::Values(::orrery::Backend::cpu)
#endif
#define ORRERY_ON_EACH_BACKEND(Suite) \
  INSTANTIATE_TEST_SUITE_P(, Suite, ORRERY_EACH_BACKEND, ::orrery::test::backend_name)

// f<float>(), then f<double>()
template <class F>
void for_float_and_double(F&& f) {
  {
    SCOPED_TRACE("float");
    f.template operator()<float>();
  }
  SCOPED_TRACE("double");
  f.template operator()<double>();
}

// ---- tolerances
// ------------------------------------------------------------------------------------------------------

// One rounding to nearest: |fl(x) - x| <= unit<T> * |x|. A tolerance is a number of roundings * unit * the terms'
// sizes. In double the oracle rounds as often as the kernel does, so there a rounding counts twice.
template <class T>
inline constexpr double unit = std::numeric_limits<T>::epsilon() / (std::is_same_v<T, float> ? 2 : 1);

// ORRERY_TOL_SCALE multiplies every tolerance; 0: every comparison prints its residual instead of judging it.
inline double tol_scale() {
  static const double scale = std::getenv("ORRERY_TOL_SCALE") ? std::atof(std::getenv("ORRERY_TOL_SCALE")) : 1.0;
  return scale;
}

// Compares many numbers and reports the worst one when it goes out of scope.
class Near {
 public:
  explicit Near(std::string what) : what_(std::move(what)) {}
  Near(const Near&) = delete;
  Near& operator=(const Near&) = delete;
  ~Near() {
    if (count_ == 0) ADD_FAILURE() << what_ << ": compared nothing";
    if (tol_scale() == 0)
      std::fprintf(stderr, "residual %10.3g = %8.3g of its tolerance, %s (%lld,%lld) of %lld\n", residual_, worst_,
                   what_.c_str(), static_cast<long long>(row_), static_cast<long long>(col_),
                   static_cast<long long>(count_));
    else if (!(worst_ <= tol_scale()))
      ADD_FAILURE() << what_ << " at (" << row_ << "," << col_ << "): got " << testing::PrintToString(got_) << ", want "
                    << testing::PrintToString(want_) << ": off by " << residual_ << ", " << worst_
                    << " times its tolerance";
  }
  void operator()(double got, double want, double tolerance, int64_t row = 0, int64_t col = 0) {
    ++count_;
    const double residual = std::abs(got - want);
    // an infinity equals itself only; a NaN equals nothing
    const double share = got == want ? 0 : tolerance > 0 && std::isfinite(residual) ? residual / tolerance : HUGE_VAL;
    if (count_ > 1 && !(share > worst_)) return;
    worst_ = share, residual_ = residual, got_ = got, want_ = want, row_ = row, col_ = col;
  }

 private:
  std::string what_;
  double worst_ = 0, residual_ = 0, got_ = 0, want_ = 0;
  int64_t row_ = 0, col_ = 0, count_ = 0;
};

template <class T>
void expect_same_bits(const std::vector<T>& a, const std::vector<T>& b, const std::string& what) {
  ASSERT_EQ(a.size(), b.size()) << what;
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_EQ(std::memcmp(&a[i], &b[i], sizeof(T)), 0)
        << what << ": element " << i << " of " << a.size() << " is " << a[i] << " and " << b[i];
}

// f() returns a vector; it must be the same bits with 1, 2 and 4 threads (and, on CUDA, from run to run).
template <class F>
void expect_same_bits_for_any_threads(F&& f) {
  const int before = threads();
  set_threads(1);
  const auto one = f();
  EXPECT_FALSE(one.empty());
  for (int n : {2, 4}) {
    set_threads(n);
    expect_same_bits(one, f(), "1 thread and " + std::to_string(n));
  }
  set_threads(before);
}

// ---- guarded matrices
// ------------------------------------------------------------------------------------------------

// What lies around the elements: a NaN for floating point, so that a read past the end shows in the result.
template <class T>
T guard_word() {
  if constexpr (std::is_same_v<T, float>) {
    const uint32_t bits = 0x7fc5a5a5u;
    T t;
    std::memcpy(&t, &bits, sizeof t);
    return t;
  } else if constexpr (std::is_same_v<T, double>) {
    const uint64_t bits = 0x7ff8a5a5a5a5a5a5u;
    T t;
    std::memcpy(&t, &bits, sizeof t);
    return t;
  } else {
    return static_cast<T>(0xa5a5a5a5a5a5a5a5u);
  }
}

// A (rows, cols) matrix in a Buffer, rows `stride` elements apart, with guard words before it, after it and in the
// gaps.
template <class T>
class Matrix {
 public:
  // standard normal numbers (whole numbers for integer types) that follow from `key`
  Matrix(Backend where, int64_t rows, int64_t cols, uint32_t key, int64_t stride = 0)
      : Matrix(where, rows, cols, drawn(rows * cols, key), stride) {}
  Matrix(Backend where, int64_t rows, int64_t cols, const std::vector<T>& dense, int64_t stride = 0)
      : rows_(rows), cols_(cols), stride_(stride > 0 ? stride : cols), where_(where), dense_(dense) {
    expects(static_cast<int64_t>(dense.size()) == rows * cols && stride_ >= cols, "rows * cols values");
    std::vector<T> all(static_cast<size_t>(2 * guards + rows * stride_), guard_word<T>());
    for (int64_t r = 0; r < rows; ++r) std::copy_n(dense.begin() + r * cols, cols, all.begin() + guards + r * stride_);
    initial_.assign(dense.begin(), dense.end());
    memory_ = Buffer<T>(context(where), all);
  }

  MatrixView<T> view() const { return {data(), rows_, cols_, stride_, where_}; }
  MatrixView<const T> cview() const { return view(); }
  VectorView<T> vector() const { return {data(), rows_ * cols_, where_}; }
  // row r as `rows` rows: stride 0
  MatrixView<const T> shared(int64_t rows, int64_t r = 0) const {
    return {data() + r * stride_, rows, cols_, 0, where_};
  }
  T* data() const { return memory_.data() + guards; }
  int64_t stride() const { return stride_; }

  const std::vector<double>& initial() const { return initial_; }  // dense, as the matrix was made
  double initial(int64_t r, int64_t c) const { return initial_[static_cast<size_t>(r * cols_ + c)]; }
  const std::vector<T>& dense() const { return dense_; }

  // The elements now, dense; fails where a guard word has changed.
  std::vector<T> host() const {
    const std::vector<T> all = memory_.to_host(context(where_));
    const T guard = guard_word<T>();
    std::vector<T> out;
    out.reserve(static_cast<size_t>(rows_ * cols_));
    int64_t broken = 0, first = 0;
    for (int64_t i = 0; i < static_cast<int64_t>(all.size()); ++i) {
      const int64_t at = i - guards;
      if (at >= 0 && at < rows_ * stride_ && at % stride_ < cols_) {
        out.push_back(all[static_cast<size_t>(i)]);
      } else if (std::memcmp(&all[static_cast<size_t>(i)], &guard, sizeof(T)) != 0 && broken++ == 0) {
        first = at;
      }
    }
    EXPECT_EQ(broken, 0) << "guard words overwritten, the first " << first << " elements after the begin of a matrix ("
                         << rows_ << "," << cols_ << ") of stride " << stride_;
    return out;
  }
  std::vector<T> host_row(int64_t r) const {
    const auto all = host();
    return {all.begin() + r * cols_, all.begin() + (r + 1) * cols_};
  }

 private:
  static constexpr int64_t guards = 64;
  static std::vector<T> drawn(int64_t n, uint32_t key) {
    const Stream s(0x0e57, Draw::initial, key, 0);
    std::vector<T> out(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i)
      if constexpr (std::is_floating_point_v<T>)
        out[static_cast<size_t>(i)] = static_cast<T>(s.normal(static_cast<uint32_t>(i)));
      else
        out[static_cast<size_t>(i)] = static_cast<T>(s.bits(static_cast<uint32_t>(i)));
    return out;
  }
  int64_t rows_, cols_, stride_;
  Backend where_;
  std::vector<T> dense_;
  std::vector<double> initial_;
  Buffer<T> memory_;
};

// ---- rows
// ------------------------------------------------------------------------------------------------------------

struct RowSpec {
  uint64_t seed = 1;
  int32_t worker = 0;
  double learning_rate = 0.1, rate = 1;
  int32_t batch = 4;                  // 0: all samples
  std::vector<int32_t> samples = {};  // that the worker holds
};

inline std::vector<int32_t> range_of(int32_t first, int32_t count) {
  std::vector<int32_t> out;
  for (int32_t i = 0; i < count; ++i) out.push_back(first + i);
  return out;
}

// Owns the arrays of a kernels/rows.hpp `Rows`, and says in the headers' words what a kernel must find in them.
class Rows {
 public:
  Rows(Backend where, std::vector<RowSpec> specs, int64_t slot = 0) : specs_(std::move(specs)), slot_(slot) {
    const Context& ctx = context(where);
    std::vector<uint64_t> seed;
    std::vector<int32_t> worker, batch, order{0, 0, 0};  // no row begins at 0
    std::vector<double> learning_rate, rate;
    std::vector<int64_t> begin, size;
    for (const RowSpec& s : specs_) {
      seed.push_back(s.seed);
      worker.push_back(s.worker);
      batch.push_back(s.batch);
      learning_rate.push_back(s.learning_rate);
      rate.push_back(s.rate);
      begin.push_back(static_cast<int64_t>(order.size()));
      size.push_back(static_cast<int64_t>(s.samples.size()));
      order.insert(order.end(), s.samples.begin(), s.samples.end());
      view_.max_batch = std::max(view_.max_batch, s.batch > 0 ? int64_t{s.batch} : size.back());
    }
    view_.count = static_cast<int64_t>(specs_.size());
    view_.seed = (seed_ = {ctx, seed}).view();
    view_.worker = (worker_ = {ctx, worker}).view();
    view_.batch = (batch_ = {ctx, batch}).view();
    view_.learning_rate = (learning_rate_ = {ctx, learning_rate}).view();
    view_.rate = (rate_ = {ctx, rate}).view();
    view_.begin = (begin_ = {ctx, begin}).view();
    view_.size = (size_ = {ctx, size}).view();
    view_.order = (order_ = {ctx, order}).view();
    base_ = {ctx, std::vector<int64_t>{slot - offset}};
  }

  const orrery::Rows& view() const { return view_; }
  Slot slot() const { return {base_.data(), offset}; }  // at() is the slot given
  int64_t count() const { return view_.count; }
  const RowSpec& spec(int64_t r) const { return specs_[static_cast<size_t>(r)]; }
  const std::vector<RowSpec>& specs() const { return specs_; }

  // The oracle: draws straight from the definition of a stream, slots counted from the one given.
  bool active(int64_t r, int64_t step = 0) const {
    const RowSpec& s = spec(r);
    const Stream theta(s.seed, Draw::rate, static_cast<uint32_t>(s.worker), static_cast<uint64_t>(slot_ + step));
    return theta.bits(0) / 4294967296.0 < s.rate;
  }
  int64_t batch_size(int64_t r) const {
    return spec(r).batch > 0 ? spec(r).batch : static_cast<int64_t>(spec(r).samples.size());
  }
  int32_t sample(int64_t r, int64_t k, int64_t step = 0) const {
    const RowSpec& s = spec(r);
    if (s.batch == 0) return s.samples[static_cast<size_t>(k)];
    const Stream draws(s.seed, Draw::minibatch, static_cast<uint32_t>(s.worker), static_cast<uint64_t>(slot_ + step));
    const double u = draws.bits(static_cast<uint32_t>(k)) / 4294967296.0;
    return s.samples[static_cast<size_t>(std::floor(static_cast<double>(s.samples.size()) * u))];
  }

 private:
  static constexpr int64_t offset = 2;
  std::vector<RowSpec> specs_;
  int64_t slot_;
  orrery::Rows view_;
  Buffer<uint64_t> seed_;
  Buffer<int32_t> worker_, batch_, order_;
  Buffer<double> learning_rate_, rate_;
  Buffer<int64_t> begin_, size_, base_;
};

// ---- samples
// ---------------------------------------------------------------------------------------------------------

enum class Storage { bytes, floats, sparse };

// n samples of d features in `classes` classes that follow from `key`; x = scale * stored + shift. Sparse: about a third of the elements is
// stored, every fifth sample (the first and, where it is one, the last among them) is empty, another fifth holds one element, and what is
// not stored is 0; shift must be 0.
class Samples {
 public:
  Samples(Backend where, int64_t n, int64_t d, int classes, Storage storage, uint32_t key, double scale = 1,
          double shift = 0)
      : d_(d),
        stored_bytes_(where, storage == Storage::bytes ? n : 0, d, key),
        stored_floats_(where, storage == Storage::floats ? n : 0, d, key),
        compressed_(storage == Storage::sparse ? some_elements(n, d, key)
                                               : Compressed{std::vector<int64_t>(1), {}, {}}),
        begin_(where, 1, static_cast<int64_t>(compressed_.begin.size()), compressed_.begin),
        column_(where, 1, static_cast<int64_t>(compressed_.column.size()), compressed_.column),
        value_(where, 1, static_cast<int64_t>(compressed_.value.size()), compressed_.value),
        labels_(where, 1, n, some_labels(n, classes, key)) {
    expects(storage != Storage::sparse || shift == 0, "sparse samples without a shift");
    view_.bytes = stored_bytes_.cview();
    view_.values = stored_floats_.cview();
    if (storage != Storage::bytes) view_.bytes = {};
    if (storage == Storage::sparse) {
      view_.values = {};
      view_.rows = {begin_.vector(), column_.vector(), value_.vector(), d};
      spread_.resize(static_cast<size_t>(n * d));
      for (int64_t s = 0; s < n; ++s)
        for (auto i = static_cast<size_t>(compressed_.begin[static_cast<size_t>(s)]);
             i < static_cast<size_t>(compressed_.begin[static_cast<size_t>(s) + 1]); ++i)
          spread_[static_cast<size_t>(s * d + compressed_.column[i])] = compressed_.value[i];
    }
    view_.labels = labels_.vector();
    view_.scale = scale;
    view_.shift = shift;
  }
  const SampleView& view() const { return view_; }
  int64_t count() const { return view_.count(); }

  // The oracle.
  double stored(int64_t s, int64_t j) const {
    return view_.sparse()           ? static_cast<double>(spread_[static_cast<size_t>(s * d_ + j)])
           : view_.bytes.size() > 0 ? stored_bytes_.initial(s, j)
                                    : stored_floats_.initial(s, j);
  }
  // the same samples, dense
  const std::vector<float>& spread() const { return spread_; }
  double x(int64_t s, int64_t j) const { return view_.scale * stored(s, j) + view_.shift; }
  // A feature in T has at most 3 roundings on scale * stored and 2 on shift.
  double x_size(int64_t s, int64_t j) const { return std::abs(view_.scale * stored(s, j)) + std::abs(view_.shift); }
  int32_t label(int64_t s) const { return static_cast<int32_t>(labels_.initial(0, s)); }

 private:
  static std::vector<int32_t> some_labels(int64_t n, int classes, uint32_t key) {
    const Stream s(0x1abe1, Draw::initial, key, 1);
    std::vector<int32_t> out;
    for (int64_t i = 0; i < n; ++i)
      out.push_back(static_cast<int32_t>(s.bits(static_cast<uint32_t>(i)) % static_cast<uint32_t>(classes)));
    return out;
  }
  struct Compressed {
    std::vector<int64_t> begin;
    std::vector<int32_t> column;
    std::vector<float> value;
  };
  static Compressed some_elements(int64_t n, int64_t d, uint32_t key) {
    const Stream s(0x59a25e, Draw::initial, key, 2), values(0x59a25e, Draw::initial, key, 3);
    Compressed out{{0}, {}, {}};
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < d; ++j) {
        const auto at = static_cast<uint32_t>(i * d + j);
        const bool stored = i % 5 == 0 ? false : i % 5 == 1 ? j == i % d : s.bits(at) % 3 == 0;
        if (!stored) continue;
        out.column.push_back(static_cast<int32_t>(j));
        out.value.push_back(static_cast<float>(values.normal(at)));
      }
      out.begin.push_back(static_cast<int64_t>(out.column.size()));
    }
    return out;
  }

  int64_t d_;
  Matrix<uint8_t> stored_bytes_;
  Matrix<float> stored_floats_;
  Compressed compressed_;
  std::vector<float> spread_;
  Matrix<int64_t> begin_;
  Matrix<int32_t> column_;
  Matrix<float> value_;
  Matrix<int32_t> labels_;
  SampleView view_;
};

}  // namespace test
}  // namespace orrery
