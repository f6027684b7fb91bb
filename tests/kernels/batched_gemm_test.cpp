#include "kernels/batched_gemm.hpp"

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class BatchedGemm : public test::OnEachBackend {};

struct Case {
  int64_t m, n, k, count;
  bool ta = false, tb = false, shared_a = false, shared_b = false;
  double alpha = 1, beta = 0;
  int64_t pad = 0;  // elements between the end of a row and the next

  std::string text() const {
    std::string s = "m=" + std::to_string(m) + " n=" + std::to_string(n) + " k=" + std::to_string(k);
    s += " count=" + std::to_string(count) + (ta ? " A^T" : "") + (tb ? " B^T" : "") + (shared_a ? " one A" : "");
    return s + (shared_b ? " one B" : "") + " beta=" + std::to_string(beta) + " pad=" + std::to_string(pad);
  }
};

// The operands of a case; operand r is rows r * rows_each .. of one tall matrix.
template <class T>
struct Operands {
  Case p;
  int64_t a_rows, b_rows;
  Matrix<T> a, b, c;

  Operands(Backend where, const Case& q)
      : p(q),
        a_rows(q.ta ? q.k : q.m),
        b_rows(q.tb ? q.n : q.k),
        a(where, a_rows * (q.shared_a ? 1 : q.count), q.ta ? q.m : q.k, 1,
          std::max<int64_t>(1, (q.ta ? q.m : q.k) + q.pad)),
        b(where, b_rows * (q.shared_b ? 1 : q.count), q.tb ? q.k : q.n, 2,
          std::max<int64_t>(1, (q.tb ? q.k : q.n) + q.pad)),
        c(where, q.m * q.count, q.n, 3, q.n + q.pad) {}

  Operand<const T> op_a() const { return {a.data(), a.stride(), p.shared_a ? 0 : a_rows * a.stride(), p.ta}; }
  Operand<const T> op_b() const { return {b.data(), b.stride(), p.shared_b ? 0 : b_rows * b.stride(), p.tb}; }
  Operand<T> op_c() const { return {c.data(), c.stride(), p.m * c.stride(), false}; }
  void run(const Context& ctx) {
    batched_gemm<T>(ctx, p.m, p.n, p.k, static_cast<T>(p.alpha), op_a(), op_b(), static_cast<T>(p.beta), op_c(),
                    p.count);
  }
  double at_a(int64_t r, int64_t i, int64_t l) const {
    const int64_t first = p.shared_a ? 0 : r * a_rows;
    return p.ta ? a.initial(first + l, i) : a.initial(first + i, l);
  }
  double at_b(int64_t r, int64_t l, int64_t j) const {
    const int64_t first = p.shared_b ? 0 : r * b_rows;
    return p.tb ? b.initial(first + j, l) : b.initial(first + l, j);
  }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (bool ta : {false, true})
    for (bool tb : {false, true}) {
      all.push_back({.m = 5, .n = 7, .k = 9, .count = 3, .ta = ta, .tb = tb});
      all.push_back({.m = 4, .n = 3, .k = 70, .count = 2, .ta = ta, .tb = tb, .alpha = -0.75, .beta = 0.5, .pad = 3});
      all.push_back({.m = 3, .n = 5, .k = 2, .count = 4, .ta = ta, .tb = tb, .shared_b = true, .beta = 1});
      all.push_back({.m = 3, .n = 2, .k = 6, .count = 4, .ta = ta, .tb = tb, .shared_a = true, .pad = 1});
      all.push_back({.m = 2, .n = 3, .k = 0, .count = 2, .ta = ta, .tb = tb, .beta = 0.5, .pad = 1});  // C <- beta C
    }
  all.push_back({.m = 1, .n = 1, .k = 1, .count = 1});
  all.push_back({.m = 33, .n = 65, .k = 130, .count = 2, .tb = true});
  all.push_back({.m = 64, .n = 10, .k = 31, .count = 40, .tb = true, .shared_b = true});
  return all;
}

// Tolerance: k products and k - 1 sums in any order, alpha and the sum with beta * C: k + 3 roundings at most on each
// term.
TEST_P(BatchedGemm, MatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (const Case& p : cases()) {
      Operands<T> o(b, p);
      o.run(ctx());
      const auto got = o.c.host();
      test::Near near(p.text());
      for (int64_t r = 0; r < p.count; ++r)
        for (int64_t i = 0; i < p.m; ++i)
          for (int64_t j = 0; j < p.n; ++j) {
            double sum = 0, size = 0;
            for (int64_t l = 0; l < p.k; ++l) {
              sum += o.at_a(r, i, l) * o.at_b(r, l, j);
              size += std::abs(o.at_a(r, i, l) * o.at_b(r, l, j));
            }
            const double c0 = p.beta * o.c.initial(r * p.m + i, j);
            near(got[static_cast<size_t>((r * p.m + i) * p.n + j)], p.alpha * sum + c0,
                 static_cast<double>(p.k + 3) * test::unit<T> * (std::abs(p.alpha) * size + std::abs(c0)), r * p.m + i,
                 j);
          }
      EXPECT_EQ(o.a.host(), o.a.dense());
      EXPECT_EQ(o.b.host(), o.b.dense());
    }
  });
}

// tf32 keeps 10 explicit bits of a factor, bf16 7: each factor is off by half a unit of its last place, a term by twice that, and the sum
// by its roundings in fp32. The CPU and double compute in full. On CUDA the factors must really be rounded: the results differ from full.
TEST_P(BatchedGemm, ReducedProductsRoundTheFactors) {
  const Backend b = GetParam();
  const Case p{.m = 33, .n = 65, .k = 130, .count = 2, .tb = true, .alpha = 0.5, .beta = 1};
  const auto product = [&]<class T>(T, Products products) {
    const Context reduced(b, 0, products);
    Operands<T> o(b, p);
    o.run(reduced);
    reduced.synchronize();
    return std::pair{o.c.host(), std::move(o)};
  };
  for (auto [products, bits] : {std::pair{Products::tf32, 11}, {Products::bf16, 8}}) {
    auto [got, o] = product(float{}, products);
    const double factor = on_cpu() ? 0 : std::ldexp(1.0, -bits);
    test::Near near("reduced");
    for (int64_t r = 0; r < p.count; ++r)
      for (int64_t i = 0; i < p.m; ++i)
        for (int64_t j = 0; j < p.n; ++j) {
          double sum = 0, size = 0;
          for (int64_t l = 0; l < p.k; ++l) {
            sum += o.at_a(r, i, l) * o.at_b(r, l, j);
            size += std::abs(o.at_a(r, i, l) * o.at_b(r, l, j));
          }
          const double c0 = o.c.initial(r * p.m + i, j);
          near(static_cast<double>(got[static_cast<size_t>((r * p.m + i) * p.n + j)]), p.alpha * sum + c0,
               std::abs(p.alpha) * size * (2 * factor + factor * factor) +
                   static_cast<double>(p.k + 3) * test::unit<float> * (std::abs(p.alpha) * size + std::abs(c0)),
               r * p.m + i, j);
        }
    EXPECT_EQ(got == product(float{}, Products::full).first, on_cpu());
    test::expect_same_bits(product(double{}, products).first, product(double{}, Products::full).first, "double");
  }
}

// beta = 0 means that C is not read: what a buffer held before, a NaN too, does not matter.
TEST_P(BatchedGemm, BetaZeroForgetsTheOldResult) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const Case p{.m = 4, .n = 5, .k = 3, .count = 2};
    Operands<T> plain(b, p), dirty(b, p);
    dirty.c = Matrix<T>(b, p.m * p.count, p.n, std::vector<T>(40, test::guard_word<T>()));
    plain.run(ctx());
    dirty.run(ctx());
    test::expect_same_bits(plain.c.host(), dirty.c.host(), "C");
  });
}

TEST_P(BatchedGemm, SameBits) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    const Case p{.m = 20, .n = 10, .k = 65, .count = 7, .tb = true, .alpha = 0.3, .beta = 0.7};
    const auto result = [&] {
      Operands<T> o(b, p);
      o.run(ctx());
      return o.c.host();
    };
    test::expect_same_bits_for_any_threads(result);
    if (!on_cpu()) return;  // cuBLAS may choose its algorithm by the count
    const auto all = result();
    for (int64_t r = 0; r < p.count; ++r) {
      Operands<T> o(b, p);
      const Operand<const T> a{o.op_a().data + r * o.op_a().stride, o.op_a().ld, 0, false};
      const Operand<const T> bb{o.op_b().data + r * o.op_b().stride, o.op_b().ld, 0, true};
      const Operand<T> c{o.op_c().data + r * o.op_c().stride, o.op_c().ld, 0, false};
      batched_gemm<T>(ctx(), p.m, p.n, p.k, T(0.3), a, bb, T(0.7), c, 1);
      const auto one = o.c.host();
      const int64_t size = p.m * p.n;
      test::expect_same_bits(std::vector<T>(one.begin() + r * size, one.begin() + (r + 1) * size),
                             std::vector<T>(all.begin() + r * size, all.begin() + (r + 1) * size),
                             "alone and among others");
    }
  });
}

TEST_P(BatchedGemm, NothingToDoAndWrongShapes) {
  const Backend b = GetParam();
  Operands<float> o(b, {.m = 2, .n = 3, .k = 4, .count = 2});
  for (auto [m, n, count] : {std::tuple<int64_t, int64_t, int64_t>{0, 3, 2}, {2, 0, 2}, {2, 3, 0}})
    batched_gemm<float>(ctx(), m, n, 4, 1.f, o.op_a(), o.op_b(), 0.f, o.op_c(), count);
  EXPECT_EQ(o.c.host(), o.c.dense());
  Operand<float> narrow = o.op_c();
  narrow.ld = 2;
  EXPECT_THROW(batched_gemm<float>(ctx(), 2, 3, 4, 1.f, o.op_a(), o.op_b(), 0.f, narrow, 2), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(BatchedGemm);

}  // namespace
}  // namespace orrery
