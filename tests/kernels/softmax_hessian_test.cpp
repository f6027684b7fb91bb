#include "kernels/softmax_hessian.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Storage;

class SoftmaxHessian : public test::OnEachBackend {};

struct Case {
  int64_t d;
  int classes;
  int32_t all;  // samples of the row whose batch is all of them
  Storage storage;
  double l2;
};
const Case kCases[] = {{1, 2, 3, Storage::floats, 0},
                       {7, 3, 64, Storage::bytes, 0.1},
                       {20, 10, 65, Storage::floats, 0.03},
                       {12, 4, 20, Storage::sparse, 0.2}};

// A problem and its gradient in float64, straight from kernels/softmax_steps.hpp.
struct Problem {
  Case p;
  test::Samples samples;
  SoftmaxView view;
  int64_t P;
  double longest = 1;  // max |(x, 1)|^2

  // The CPU's pieces of 64 samples are its own: elsewhere (the emulated device among it) 20 are enough.
  Problem(Backend b, const Case& q)
      : p(q),
        samples(b, 80, q.d, q.classes, q.storage, 3, q.storage == Storage::bytes ? 1 / 127.5 : 0.8,
                q.storage == Storage::sparse ? 0 : -0.4) {
    if (b != Backend::cpu) p.all = std::min(p.all, 20);
    view = {samples.view(), q.classes, q.l2};
    P = view.parameters();
    for (int64_t s = 0; s < samples.count(); ++s) {
      double square = 1;
      for (int64_t j = 0; j < q.d; ++j) square += samples.x(s, j) * samples.x(s, j);
      longest = std::max(longest, square);
    }
  }
  test::Rows rows(Backend b) const {
    std::vector<test::RowSpec> specs;
    for (int32_t w = 0; w < 5; ++w)
      specs.push_back({.seed = 17,
                       .worker = w,
                       .rate = w == 3 ? 0.0 : 1.0,
                       .batch = std::vector<int32_t>{1, 6, 0, 4, 3}[static_cast<size_t>(w)],
                       .samples = test::range_of(2 * w, w == 2 ? p.all : 9)});
    return {b, specs, 21};
  }

  std::vector<double> gradient(const test::Rows& rows, int64_t r, const std::vector<double>& w) const {
    const int64_t B = rows.batch_size(r), d = p.d, C = p.classes;
    std::vector<double> g(w.size());
    for (int64_t k = 0; k < B; ++k) {
      const int64_t s = rows.sample(r, k);
      std::vector<double> z;
      double top = -HUGE_VAL, total = 0;
      for (int64_t c = 0; c < C; ++c) {
        double sum = w[static_cast<size_t>(C * d + c)];
        for (int64_t j = 0; j < d; ++j) sum += w[static_cast<size_t>(c * d + j)] * samples.x(s, j);
        z.push_back(sum);
        top = std::max(top, sum);
      }
      for (double x : z) total += std::exp(x - top);
      for (int64_t c = 0; c < C; ++c) {
        const double delta =
            (std::exp(z[static_cast<size_t>(c)] - top) / total - (c == samples.label(s))) / static_cast<double>(B);
        for (int64_t j = 0; j < d; ++j) g[static_cast<size_t>(c * d + j)] += delta * samples.x(s, j);
        g[static_cast<size_t>(C * d + c)] += delta;
      }
    }
    for (size_t i = 0; i < static_cast<size_t>(C * d); ++i) g[i] += p.l2 * w[i];
    return g;
  }
  // H v by central differences of the gradient along v, and a bound on what truncation, the oracle's own rounding and the kernel's in T may
  // make of it. Third derivatives of the loss are below |x|^3, so truncation is h^2/6 |v|^3 |x|^4; a gradient has B + d + C + 20 roundings on
  // terms below |x| (1 + |w| |x|). The kernel: a logit is off by (d + 3) u |w_c| |x|, an a_c by (d + 3) u |v_c| |x|; s has slopes of at most
  // 2 max |a_c| along the logits and 1 along a; C + 20 roundings of exponents, quotient and mean, then B + 4, on terms below |v_c| |x|^2.
  template <class T>
  std::pair<std::vector<double>, double> product(const test::Rows& rows, int64_t r, const std::vector<double>& w,
                                                 const std::vector<double>& v) const {
    const auto norm = [](const std::vector<double>& a) {
      double sum = 0;
      for (double x : a) sum += x * x;
      return std::sqrt(sum);
    };
    const double v_norm = norm(v), x = std::sqrt(longest), h = 1e-4 / (v_norm * x), u = test::unit<T>;
    std::vector<double> up = w, down = w;
    for (size_t i = 0; i < w.size(); ++i) up[i] += h * v[i], down[i] -= h * v[i];
    auto out = gradient(rows, r, up);
    const auto back = gradient(rows, r, down);
    for (size_t i = 0; i < w.size(); ++i) out[i] = (out[i] - back[i]) / (2 * h);
    const double truncation = h * h / 6 * std::pow(v_norm, 3) * std::pow(x, 4);
    const double terms = static_cast<double>(rows.batch_size(r) + p.d + p.classes + 24);
    const double rounding = terms * test::unit<double> * x * (1 + norm(w) * x) / h;
    double w_c = 0, v_c = 0;  // the longest weights of a class, with its bias
    for (int c = 0; c < p.classes; ++c)
      for (auto [a, longest_c] : {std::pair{&w, &w_c}, std::pair{&v, &v_c}}) {
        std::vector<double> one(a->begin() + c * p.d, a->begin() + (c + 1) * p.d);
        one.push_back((*a)[static_cast<size_t>(p.classes * p.d + c)]);
        *longest_c = std::max(*longest_c, norm(one));
      }
    const double logit = static_cast<double>(p.d + 3) * u * w_c * x;
    const double kernel = x * (2 * v_c * x * logit + terms * u * v_c * x);
    return {out, truncation + rounding + kernel + 3 * u * p.l2 * v_norm};
  }
};

template <class T>
std::vector<double> row_of(const Matrix<T>& w, int64_t r, int64_t P) {
  return {w.initial().begin() + r * P, w.initial().begin() + (r + 1) * P};
}

TEST_P(SoftmaxHessian, IsTheDerivativeOfTheGradient) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& p : kCases) {
      const Problem q(b, p);
      const test::Rows rows = q.rows(b);
      const int64_t n = rows.count(), sample = p.d * int64_t{sizeof(T)};
      for (bool shared : {false, true})
        for (int64_t room : {int64_t{1} << 24, sample * 12, sample * 5, int64_t{1}}) {
          if (on_cpu() && room != int64_t{1} << 24) continue;  // the CPU has no workspace
          SoftmaxWorkspace<T> space(ctx(), q.view, n, rows.view().max_batch, room);
          const Matrix<T> w(b, shared ? 1 : n, q.P, 1, q.P + 3), v(b, n, q.P, 2, q.P + 2);
          Matrix<T> out(b, n, q.P, 3);
          const bool one = room == sample * 12 || (on_cpu() && shared);  // direction
          softmax_hessian<T>(ctx(), q.view, rows.view(), rows.slot(), shared ? w.shared(n) : w.cview(),
                             one ? v.shared(n) : v.cview(), out.view(), space);
          const auto got = out.host();
          test::Near near(shared ? "shared row" : "own rows");
          for (int64_t r = 0; r < n; ++r) {
            auto [want, allowed] = q.product<T>(rows, r, row_of(w, shared ? 0 : r, q.P), row_of(v, one ? 0 : r, q.P));
            if (!rows.active(r)) want.assign(want.size(), 0), allowed = 0;
            for (int64_t j = 0; j < q.P; ++j)
              near(got[static_cast<size_t>(r * q.P + j)], want[static_cast<size_t>(j)], allowed, r, j);
          }
          EXPECT_EQ(v.host(), v.dense());
        }
    }
  });
}

// CPU: any number of threads, any neighbours. CUDA: run to run.
TEST_P(SoftmaxHessian, SameBits) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const Problem q(b, kCases[2]);
    const test::Rows rows = q.rows(b);
    const auto run = [&](int64_t first, int64_t n) {
      SoftmaxWorkspace<T> space(ctx(), q.view, n, rows.view().max_batch, 1 << 24);
      const Matrix<T> w(b, rows.count(), q.P, 1), v(b, rows.count(), q.P, 2);
      Matrix<T> out(b, rows.count(), q.P, 3);
      softmax_hessian<T>(ctx(), q.view, rows.view().part(first, n), rows.slot(), w.cview().rows(first, n),
                         v.cview().rows(first, n), out.view().rows(first, n), space);
      const auto all = out.host();
      return std::vector<T>(all.begin() + first * q.P, all.begin() + (first + n) * q.P);
    };
    test::expect_same_bits_for_any_threads([&] { return run(0, rows.count()); });
    const auto all = run(0, rows.count());
    for (int64_t r = 0; r < rows.count() && on_cpu(); ++r)
      test::expect_same_bits(run(r, 1), {all.begin() + r * q.P, all.begin() + (r + 1) * q.P}, "alone and among others");
  });
}

TEST_P(SoftmaxHessian, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Problem q(b, kCases[0]);
  const test::Rows rows = q.rows(b);
  SoftmaxWorkspace<float> space(ctx(), q.view, rows.count(), rows.view().max_batch, 1 << 24);
  const Matrix<float> w(b, rows.count(), q.P, 1), few(b, rows.count() - 1, q.P, 2), wide(b, rows.count(), q.P + 1, 3);
  const auto run = [&](const Matrix<float>& at, const Matrix<float>& v, const Matrix<float>& out) {
    softmax_hessian<float>(ctx(), q.view, rows.view(), rows.slot(), at.cview(), v.cview(), out.view(), space);
  };
  EXPECT_THROW(run(wide, w, w), std::logic_error);
  EXPECT_THROW(run(w, few, w), std::logic_error);
  EXPECT_THROW(run(w, w, wide), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SoftmaxHessian);

}  // namespace
}  // namespace orrery
