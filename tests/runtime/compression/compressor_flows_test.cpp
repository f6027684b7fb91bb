// Compressors in the flows that they are for, on the digest's bench Q10 (section 7): the flows are written out here, plainly and in float64; what
// is tested is that each compressor leads them to the digest's numbers of steps (S5, S7) and stalls where it must (S6).
#include <cmath>

#include "tests/runtime/compression/compressions.hpp"

namespace orrery {
namespace {

constexpr int64_t n = 10, d = 10;

double part(double x) { return x - std::floor(x); }
struct Q10 {
  double a[n][d], b[n][d], best[d];
  Q10() {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t c = 0; c < d; ++c) {
        const auto m = static_cast<double>(10 * i + c + 1);
        a[i][c] = 1 + part(0.6180339887498949 * m);
        b[i][c] = 2 * part(1.4142135623730951 * m) - 1;
      }
    for (int64_t c = 0; c < d; ++c) {
      double above = 0, below = 0;
      for (int64_t i = 0; i < n; ++i) above += a[i][c] * b[i][c], below += a[i][c];
      best[c] = above / below;
    }
  }
};

enum class Flow { direct, sigma, plus };
using State = std::vector<double>;  // (n, d)

State laplacian(const State& x) {  // of a ring
  State out(x.size());
  for (int64_t i = 0; i < n; ++i)
    for (int64_t c = 0; c < d; ++c)
      out[static_cast<size_t>(i * d + c)] = 2 * x[static_cast<size_t>(i * d + c)] -
                                            x[static_cast<size_t>((i + n - 1) % n * d + c)] -
                                            x[static_cast<size_t>((i + 1) % n * d + c)];
  return out;
}

struct Result {
  int64_t steps;    // until E < 1e-8; -1: not within those allowed
  double distance;  // E at the end
};

// Euler steps of the primal-dual flow (digest 4.5), alpha = beta = eta = 1.
Result run(const std::string& text, Flow flow, double kappa, int64_t allowed, double s = 0.1) {
  static const Q10 q10;
  const Context& ctx = test::context(Backend::cpu);
  const auto spec = test::compressor_of(text);
  const test::Rows rows(Backend::cpu, [] {
    std::vector<test::RowSpec> specs;
    for (int32_t i = 0; i < n; ++i) specs.push_back({.seed = 1, .worker = i});
    return specs;
  }());
  const auto bound = spec->bind(ctx, rows.view(), {.parameters = d}, double{});
  State x(n * d), v(n * d), xh(n * d), zh(n * d), q(n * d), in(n * d);
  double distance = 0;
  for (int64_t k = 0; k <= allowed; ++k) {
    distance = 0;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t c = 0; c < d; ++c) distance += std::pow(x[static_cast<size_t>(i * d + c)] - q10.best[c], 2) / n;
    distance = std::sqrt(distance);
    if (distance < 1e-8) return {k, distance};
    if (k == allowed || !(distance < 1e6)) break;

    for (size_t e = 0; e < x.size(); ++e) in[e] = flow == Flow::direct ? x[e] : x[e] - xh[e];
    bound->apply(ctx, rows.view(), {&k}, {in.data(), n, d, Backend::cpu}, {q.data(), n, d, Backend::cpu});
    const State lq = laplacian(q);
    for (size_t e = 0; e < x.size(); ++e) {
      const size_t i = e / d, c = e % d;
      const double coupling = flow == Flow::direct ? lq[e] : flow == Flow::sigma ? zh[e] : zh[e] + lq[e];
      const double gradient = q10.a[i][c] * (x[e] - q10.b[i][c]);
      x[e] += s * (-coupling - v[e] - gradient);
      v[e] += s * coupling;
      xh[e] += s * kappa * q[e];
      zh[e] += s * kappa * lq[e];
    }
  }
  return {-1, distance};
}

TEST(CompressorFlows, ObserverFlowTakesTheDigestsSteps) {  // S7
  struct Line {
    Flow flow;
    double kappa;
    std::vector<int64_t> steps;
  };
  const std::vector<std::string> texts{"kind = 'identity'",
                                       "kind = 'top-k'\nk = 1",
                                       "kind = 'top-k'\nk = 2",
                                       "kind = 'top-k'\nk = 5",
                                       "kind = 'one-bit'",
                                       "kind = 'quantizer'\nbits = 3",
                                       "kind = 'quantizer'\nbits = 6",
                                       "kind = 'cyclic'",
                                       "kind = 'trigonometric'\nfrequency = 0.37"};
  for (const Line& line : {Line{Flow::sigma, 1, {670, 2622, 1385, 636, 732, 671, 670, 3283, 3320}},
                           {Flow::plus, 1, {865, 1973, 1009, 836, 888, 867, 865, 2574, 2605}},
                           {Flow::sigma, 2, {782, 1209, 653, 766, 796, 782, 782, 1560, 1708}},
                           {Flow::plus, 10, {865, 837, 852, 863, 857, 865, 865, -1, -1}}})
    for (size_t i = 0; i < texts.size(); ++i) {
      const int64_t want = line.steps[i];
      const Result got = run(texts[i], line.flow, line.kappa, 5000);
      EXPECT_NEAR(static_cast<double>(got.steps), static_cast<double>(want), want < 0 ? 0 : 2)
          << texts[i] << (line.flow == Flow::sigma ? ", sigma" : ", plus") << ", kappa " << line.kappa << ", E "
          << got.distance;
    }
  for (auto [flow, kappa, want] : {std::tuple{Flow::sigma, 1.0, 3042.0},
                                   {Flow::plus, 1.0, 1445.0},
                                   {Flow::sigma, 2.0, 1620.0},
                                   {Flow::plus, 10.0, 901.0}})
    EXPECT_NEAR(static_cast<double>(run("kind = 'rand-k'\nk = 2", flow, kappa, 6000).steps), want, 0.15 * want);
}

TEST(CompressorFlows, DirectFlowConvergesWithLinearMaps) {  // S5
  EXPECT_NEAR(static_cast<double>(run("kind = 'cyclic'", Flow::direct, 0, 9000).steps), 7841, 2);
  EXPECT_NEAR(static_cast<double>(run("kind = 'trigonometric'\nfrequency = 0.37", Flow::direct, 0, 9000).steps), 7853,
              2);
  EXPECT_NEAR(static_cast<double>(run("kind = 'random-scalarizer'", Flow::direct, 0, 12000).steps), 7970, 0.15 * 7970);
  EXPECT_NEAR(static_cast<double>(run("kind = 'rand-k'\nk = 2", Flow::direct, 0, 9000).steps), 4000, 0.15 * 4000);
  EXPECT_NEAR(static_cast<double>(run("kind = 'cyclic'\nscaled = true", Flow::direct, 0, 9000, 0.02).steps), 4222, 2);
  EXPECT_EQ(run("kind = 'cyclic'\nscaled = true", Flow::direct, 0, 4000).steps, -1);  // s d alpha lambda_n = 4
}

TEST(CompressorFlows, DirectFlowStallsWithMapsThatAreNotMonotone) {  // S6
  for (auto [text, want] : {std::pair<std::string, double>{"kind = 'top-k'\nk = 1", 0.535},
                            {"kind = 'top-k'\nk = 2", 0.328},
                            {"kind = 'top-k'\nk = 5", 0.104},
                            {"kind = 'one-bit'", 0.305},
                            {"kind = 'quantizer'\nbits = 3", 0.057},
                            {"kind = 'quantizer'\nbits = 6", 0.0086},
                            {"kind = 'fixed-step'\nstep = 0.1", 0.088}}) {
    const Result got = run(text, Flow::direct, 0, 4000);
    EXPECT_EQ(got.steps, -1) << text;
    EXPECT_NEAR(got.distance, want, 0.05 * want) << text;
    EXPECT_FALSE(test::compressor_of(text)->traits({.parameters = d}).strong) << text;
  }
  EXPECT_NEAR(run("kind = 'fixed-step'\nstep = 0.1", Flow::sigma, 1, 4000).distance, 0.1, 0.05);
}

}  // namespace
}  // namespace orrery
