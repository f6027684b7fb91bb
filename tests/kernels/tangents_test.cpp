#include "kernels/tangents.hpp"

#include "kernels/softmax_loss.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Tangents : public test::OnEachBackend {};

struct Shape {
  int64_t rows, count, n;
};
constexpr Shape kShapes[] = {
    {1, 1, 1}, {3, 5, 7}, {2, 70, 130}, {40, 2, 3}};  // within, across and past a block of threads

double slope(Activation a, double h) { return a == Activation::relu ? (h > 0) : 1 - h * h; }
double curvature(Activation a, double h, double dh) { return a == Activation::relu ? 0 : -2 * h * dh; }

// h' = phi'(h) (z' + b'): 2 roundings of the slope, one of the sum, one of the product
TEST_P(Tangents, OfActivations) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Shape& s : kShapes)
      for (Activation a : {Activation::relu, Activation::tanh})
        for (bool shared : {false, true}) {
          const Matrix<T> h(b, s.rows, s.count * s.n, 1), bias(b, shared ? 1 : s.rows, s.n, 2, s.n + 3);
          const Matrix<T> dh(b, s.rows, s.count * s.n, 3, s.count * s.n + 2);
          activate_tangent<T>(ctx(), a, s.count, s.n, shared ? bias.shared(s.rows) : bias.cview(), h.cview(),
                              dh.view());
          const auto got = dh.host();
          test::Near near("h'");
          for (int64_t r = 0; r < s.rows; ++r)
            for (int64_t i = 0; i < s.count * s.n; ++i) {
              const double at = h.initial(r, i), sum = dh.initial(r, i) + bias.initial(shared ? 0 : r, i % s.n);
              const double size =
                  (1 + at * at) * (std::abs(dh.initial(r, i)) + std::abs(bias.initial(shared ? 0 : r, i % s.n)));
              near(static_cast<double>(got[static_cast<size_t>(r * s.count * s.n + i)]), slope(a, at) * sum,
                   4 * test::unit<T> * size, r, i);
            }
          EXPECT_EQ(h.host(), h.dense());
        }
  });
}

// e' and e of the layer below, and the sums of e' over the batch: 2 roundings of a slope or curvature, 3 of products and their sum; count more
// in the sums.
TEST_P(Tangents, OfErrors) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const double u = test::unit<T>;
    for (const Shape& s : kShapes)
      for (Activation a : {Activation::relu, Activation::tanh}) {
        const int64_t all = s.count * s.n;
        const Matrix<T> h(b, s.rows, all, 1), dh(b, s.rows, all, 2), e(b, s.rows, all, 3, all + 1),
            de(b, s.rows, all, 4), out(b, s.rows, s.n, 5, s.n + 2);
        backward_tangent<T>(ctx(), a, s.count, s.n, h.cview(), dh.cview(), e.view(), de.view(), out.view());
        const auto got_e = e.host(), got_de = de.host(), got = out.host();
        test::Near near("e"), near_tangent("e'"), near_sum("sum of e'");
        for (int64_t r = 0; r < s.rows; ++r)
          for (int64_t j = 0; j < s.n; ++j) {
            double sum = out.initial(r, j), off = 0, terms = std::abs(sum);
            for (int64_t k = 0; k < s.count; ++k) {
              const int64_t i = k * s.n + j;
              const auto at = static_cast<size_t>(r * all + i);
              const double x = h.initial(r, i), y = dh.initial(r, i), e0 = e.initial(r, i), de0 = de.initial(r, i);
              const double want = de0 * slope(a, x) + e0 * curvature(a, x, y);
              const double size = std::abs(de0) * (1 + x * x) + std::abs(e0 * curvature(a, x, y));
              near(static_cast<double>(got_e[at]), e0 * slope(a, x), 3 * u * std::abs(e0) * (1 + x * x), r, i);
              near_tangent(static_cast<double>(got_de[at]), want, 5 * u * size, r, i);
              sum += want, off += 5 * u * size, terms += size;
            }
            near_sum(static_cast<double>(got[static_cast<size_t>(r * s.n + j)]), sum,
                     off + static_cast<double>(s.count) * u * terms, r, j);
          }
      }
  });
}

// One sample of a problem, and its shares q and their derivatives in float64.
struct Shares {
  std::vector<double> q, along;
  double largest = 0;  // of |z + b|, and of |z' + b'|
};
template <class T>
Shares shares(const Matrix<T>& z, const Matrix<T>& dz, const Matrix<T>& bias, const Matrix<T>& bias_along, int64_t r,
              int64_t bias_row, int64_t k, int classes) {
  Shares out;
  std::vector<double> a;
  double total = 0, mean = 0;
  for (int c = 0; c < classes; ++c) {
    out.q.push_back(std::exp(z.initial(r, k * classes + c) + bias.initial(bias_row, c)));
    a.push_back(dz.initial(r, k * classes + c) + bias_along.initial(bias_row, c));
    total += out.q.back();
    out.largest = std::max({out.largest, std::abs(z.initial(r, k * classes + c)) + std::abs(bias.initial(bias_row, c)),
                            std::abs(dz.initial(r, k * classes + c)) + std::abs(bias_along.initial(bias_row, c))});
  }
  for (double& q : out.q) q /= total;
  for (int c = 0; c < classes; ++c) mean += out.q[static_cast<size_t>(c)] * a[static_cast<size_t>(c)];
  for (int c = 0; c < classes; ++c)
    out.along.push_back(out.q[static_cast<size_t>(c)] * (a[static_cast<size_t>(c)] - mean));
  return out;
}

// An exponent is off by 4 roundings of the largest |z + b|, so a share by twice that and C + 10 of its own; what it multiplies is below twice
// the largest |a|, with as many roundings again.
TEST_P(Tangents, OfTheLoss) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const double u = test::unit<T>;
    for (const Shape& s : {Shape{1, 1, 2}, Shape{3, 5, 7}, Shape{2, 150, 10}})
      for (bool shared : {false, true}) {
        const int classes = static_cast<int>(s.n);
        std::vector<test::RowSpec> specs;
        for (int64_t r = 0; r < s.rows; ++r)
          specs.push_back(
              {.worker = static_cast<int32_t>(r), .batch = static_cast<int32_t>(s.count + r), .samples = {0}});
        const test::Rows rows(b, specs);
        std::vector<int32_t> labels;
        for (int64_t i = 0; i < s.rows * s.count; ++i) labels.push_back(static_cast<int32_t>(i % (classes + 1)) - 1);
        const int64_t bias_rows = shared ? 1 : s.rows;
        const Matrix<int32_t> y(b, s.rows, s.count, labels);
        const Matrix<T> z(b, s.rows, s.count * classes, 1), dz(b, s.rows, s.count * classes, 2),
            bias(b, bias_rows, classes, 3), bias_along(b, bias_rows, classes, 4),
            out(b, s.rows, classes, 5, classes + 1);
        softmax_loss_tangent<T>(ctx(), rows.view(), s.count, classes, z.view(), dz.view(), y.cview(),
                                shared ? bias.shared(s.rows) : bias.cview(),
                                shared ? bias_along.shared(s.rows) : bias_along.cview(), out.view());
        const auto got_z = z.host(), got_dz = dz.host(), got = out.host();
        test::Near near("delta"), near_tangent("delta'"), near_sum("sum of delta'");
        for (int64_t r = 0; r < s.rows; ++r) {
          const double B = static_cast<double>(s.count + r);
          std::vector<double> sum, off(static_cast<size_t>(classes)), terms;
          for (int c = 0; c < classes; ++c) sum.push_back(out.initial(r, c)), terms.push_back(std::abs(sum.back()));
          for (int64_t k = 0; k < s.count; ++k) {
            const int32_t label = labels[static_cast<size_t>(r * s.count + k)];
            const Shares want = shares(z, dz, bias, bias_along, r, shared ? 0 : r, k, classes);
            const double share_off = (8 * want.largest + classes + 10) * u;
            for (int c = 0; c < classes; ++c) {
              const auto i = static_cast<size_t>(c), at = static_cast<size_t>((r * s.count + k) * classes + c);
              if (label < 0) {
                ASSERT_EQ(got_z[at], 0);
                ASSERT_EQ(got_dz[at], 0);
                continue;
              }
              const double allowed = 2 * want.q[i] * 2 * want.largest * share_off / B;
              near(static_cast<double>(got_z[at]), (want.q[i] - (c == label)) / B, (want.q[i] * share_off + 3 * u) / B,
                   r, c);
              near_tangent(static_cast<double>(got_dz[at]), want.along[i] / B, allowed, r, c);
              sum[i] += want.along[i] / B, off[i] += allowed, terms[i] += std::abs(want.along[i] / B) + allowed;
            }
          }
          for (int c = 0; c < classes; ++c) {
            const auto i = static_cast<size_t>(c);
            near_sum(static_cast<double>(got[static_cast<size_t>(r * classes + c)]), sum[i],
                     off[i] + static_cast<double>(s.count) * u * terms[i], r, c);
          }
        }
        near(0, 0, 0), near_tangent(0, 0, 0);  // a single sample without a label compares nothing
      }
  });
}

TEST_P(Tangents, RefuseWrongShapes) {
  const Backend b = GetParam();
  const Matrix<float> six(b, 2, 6, 1), five(b, 2, 5, 2), three(b, 2, 3, 3), two(b, 2, 2, 4);
  const auto tanh = Activation::tanh;
  EXPECT_THROW(activate_tangent<float>(ctx(), tanh, 2, 3, two.cview(), six.cview(), six.view()), std::logic_error);
  EXPECT_THROW(activate_tangent<float>(ctx(), tanh, 2, 3, three.cview(), six.cview(), five.view()), std::logic_error);
  EXPECT_THROW(
      backward_tangent<float>(ctx(), tanh, 2, 3, six.cview(), five.cview(), six.view(), six.view(), three.view()),
      std::logic_error);
  EXPECT_THROW(backward_tangent<float>(ctx(), tanh, 2, 3, six.cview(), six.cview(), six.view(), six.view(), two.view()),
               std::logic_error);
  const test::Rows rows(b, {{.samples = {0}}, {.samples = {0}}});
  const Matrix<int32_t> y(b, 2, 2, std::vector<int32_t>(4));
  EXPECT_THROW(softmax_loss_tangent<float>(ctx(), rows.view(), 2, 3, six.view(), five.view(), y.cview(), three.cview(),
                                           three.cview(), three.view()),
               std::logic_error);
  EXPECT_THROW(softmax_loss_tangent<float>(ctx(), rows.view(), 2, 3, six.view(), six.view(), y.cview(), three.cview(),
                                           two.cview(), three.view()),
               std::logic_error);
}

ORRERY_ON_EACH_BACKEND(Tangents);

}  // namespace
}  // namespace orrery
