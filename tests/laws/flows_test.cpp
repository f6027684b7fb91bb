// Flows with compressed messages (st-compression.md 4): whole runs against the Euler steps written out in float64, and the checks S1 - S7, S12.
#include "runtime/compressed/notices.hpp"
#include "tests/laws/compressed_helpers.hpp"

namespace orrery {
namespace {

using test::added, test::difference_of, test::rows_through, test::times;
using test::Bench;
using test::Matrix;
using test::Numbers;

class Flows : public test::OnEachCase {
 protected:
  Bench bench() const {
    Bench b;
    b.precision = GetParam().precision;
    b.graph = "kind = \"path\"\nperiod = 1";
    return b;
  }
  bool exact() const { return GetParam().precision == "fp64"; }
  RunResult result(const Bench& b) const { return run_text(b.text()); }
  Numbers final_models(const Bench& b) const { return test::models(result(b).arms[0]); }

  test::Folder folder_;

  struct Gains {
    double s, alpha, beta, eta, kappa;
  };
  // section 4.5; consensus: without dual states and gradients.
  static Numbers written_out(const Bench& b, const std::string& flow, const Gains& g, const test::Map& c,
                             Matrix v = {}) {
    const auto n = static_cast<size_t>(b.workers), p = static_cast<size_t>(b.parameters);
    const Matrix l = test::path_laplacian(n);
    const bool dual = b.kind == "primal-dual";
    Matrix x = b.starts(), xh = test::zeros(n, p), zh = xh;
    if (v.empty()) v = xh;
    for (int64_t k = 0; k < b.steps; ++k) {
      Matrix lxc;
      Matrix q, lq;
      if (flow == "uncompressed") lxc = times(l, x);
      if (flow == "direct") lxc = times(l, rows_through(c, x, k));
      if (flow.starts_with("observer")) {
        q = rows_through(c, difference_of(x, xh), k);
        lq = times(l, q);
        lxc = flow == "observer-sigma" ? zh : added(zh, 1, lq);
      }
      Matrix next = added(x, -g.s * g.alpha, lxc);
      if (dual) {
        next = added(added(next, -g.s * g.beta, v), -g.s * g.eta, b.gradients(x));
        v = added(v, g.s * g.beta, lxc);
      }
      if (flow.starts_with("observer")) xh = added(xh, g.s * g.kappa, q), zh = added(zh, g.s * g.kappa, lq);
      x = next;
    }
    return test::flat(x);
  }
};
ORRERY_ON_CASES(Flows, {"quadratic"}, {"fp64", "fp32"});

const std::vector<std::string> all_flows{"uncompressed", "direct", "observer-sigma", "observer-plus"};

TEST_P(Flows, EveryFlowAsWrittenOut) {
  const Gains g{0.07, 0.9, 0.8, 1.1, 3};
  for (const char* kind : {"consensus-flow", "primal-dual"})
    for (const auto& flow : all_flows)
      for (const auto& c : test::named_maps()) {
        if (!exact() && (c.text.find("top") != c.text.npos || c.text.find("one-bit") != c.text.npos))
          continue;  // discontinuous: a rounding decides
        if (flow == "uncompressed" && c.text.find("identity") == c.text.npos) continue;
        SCOPED_TRACE(fmt::format("{} {} {}", kind, flow, c.text));
        Bench b = bench().from_apart(folder_);
        b.kind = kind;
        b.learning_rate = g.s;
        b.compressor = c.text;
        b.algorithm = fmt::format("flow = \"{}\"\nalpha = {}\nkappa = {}\n", flow, g.alpha, g.kappa);
        if (b.kind == "primal-dual") b.algorithm += fmt::format("beta = {}\neta = {}\n", g.beta, g.eta);
        EXPECT_LE(test::difference(final_models(b), written_out(b, flow, g, c.map)), 20 * tolerance());
      }
}

// S12: consensus, plus, s kappa = 1, s alpha L = gamma (I - W) is CHOCO-Gossip, bit for bit; primal-dual, plus, s kappa = 1 the algorithm of A.7.
TEST_P(Flows, BridgesToTheRelatives) {
  for (const auto& c : test::named_maps()) {
    SCOPED_TRACE(c.text);
    Bench flow = bench().from_apart(folder_);
    flow.kind = "consensus-flow";
    flow.compressor = c.text;
    flow.learning_rate = 0.25;
    flow.algorithm = "flow = \"observer-plus\"\nlaplacian = \"mixing\"\nkappa = 4.0";
    Bench choco = flow;
    choco.kind = "choco-gossip";
    choco.algorithm = "gamma = 0.25";
    const auto gossip = final_models(choco);
    EXPECT_EQ(final_models(flow), gossip);

    Bench dual = bench();
    dual.compressor = c.text;
    dual.learning_rate = 0.0625;
    dual.algorithm = "flow = \"observer-plus\"\nkappa = 16.0\nalpha = 0.7\nbeta = 0.6";
    Bench discrete = dual;
    discrete.kind = "compressed-primal-dual";
    discrete.algorithm = "psi = 1.0\nalpha = 0.7\nbeta = 0.6";
    EXPECT_EQ(final_models(dual), final_models(discrete));
  }
}

// S1: the numbers of the digest, and the step that passes 1e-8.
TEST_P(Flows, UncompressedOnTheTenNodeBench) {
  if (!exact()) GTEST_SKIP() << "1e-8 lies below what fp32 holds";
  Bench b = test::q10();
  b.steps = 870;
  b.algorithm = "flow = \"uncompressed\"";
  const RunResult r = result(b);
  const auto& e = r.arms[0].values[0][0];
  EXPECT_NEAR(e[0], 0.378960, 1e-6);
  EXPECT_NEAR(e[1], 0.419148, 1e-6);
  EXPECT_NEAR(e[10], 0.828155, 1e-6);
  EXPECT_NEAR(e[100], 0.107409, 1e-6);
  EXPECT_EQ(test::first_below(r, 0, 1e-8), 865);
}

// S2: with nothing left out the direct flow is the uncompressed one, bit for bit; the observer's "plus" to rounding, for any gain.
TEST_P(Flows, IdentityCompressorChangesNothing) {
  Bench b = bench();
  b.algorithm = "flow = \"uncompressed\"";
  const auto plain = final_models(b);
  b.algorithm = "flow = \"direct\"";
  EXPECT_EQ(final_models(b), plain);
  for (const double kappa : {0.3, 1.0, 10.0}) {
    b.algorithm = fmt::format("flow = \"observer-plus\"\nkappa = {}", kappa);
    EXPECT_LE(test::difference(final_models(b), plain), 20 * tolerance()) << kappa;
  }
  b.algorithm = "flow = \"observer-sigma\"";
  EXPECT_GT(test::difference(final_models(b), plain), 1e-3);
}

// S4: a wrong start of the dual states moves the limit as the sum of them says.
TEST_P(Flows, UnbalancedDualStartMovesTheLimit) {
  if (!exact()) GTEST_SKIP() << "to 1e-12";
  Bench b = test::q10();
  b.steps = b.every = 2500;
  b.algorithm =
      "flow = \"uncompressed\"\ndual_start_unbalanced = true\n"
      "dual_start = [[0.3], [0], [0], [0], [0], [0], [0], [0], [0], [0]]";
  const auto x = final_models(b);
  for (int64_t j = 0; j < 10; ++j) {
    double above = -0.3, below = 0;
    for (int64_t i = 0; i < 10; ++i) above += b.a(i, j) * b.c(i, j), below += b.a(i, j);
    for (int64_t i = 0; i < 10; ++i) ASSERT_NEAR(x[static_cast<size_t>(10 * i + j)], above / below, 1e-12);
  }
}

// A start that sums to zero, in full and from a file.
TEST_P(Flows, DualStart) {
  Bench b = bench();
  Matrix v = test::zeros(6, 4);
  for (size_t j = 0; j < 4; ++j) v[0][j] = 0.5, v[2][j] = -0.75, v[5][j] = 0.25;
  const auto want = written_out(b, "uncompressed", {0.1, 1, 1, 1, 1}, test::named_maps()[0].map, v);
  b.algorithm = "flow = \"uncompressed\"\ndual_start = [[0.5], [0], [-0.75], [0], [0], [0.25]]";
  EXPECT_LE(test::difference(final_models(b), want), 20 * tolerance());
  const test::Folder folder;
  write_npy(folder.file("v.npy"), {6, 4}, test::flat(v));
  b.algorithm = fmt::format("flow = \"uncompressed\"\ndual_start = \"{}\"", folder.file("v.npy"));
  EXPECT_LE(test::difference(final_models(b), want), 20 * tolerance());
}

// S6: without monotone maps the direct flow stalls; S7: the observer's does not. The short rows of the table.
TEST_P(Flows, StepCountsOfTheTable) {
  if (!exact()) GTEST_SKIP() << "1e-8 lies below what fp32 holds";
  struct Row {
    std::string flow;
    double kappa;
    std::string compressor;
    int64_t steps;
  };
  const std::vector<Row> rows{{"observer-sigma", 1, "kind = \"identity\"", 670},
                              {"observer-sigma", 1, "kind = \"top-k\"\nk = 5", 636},
                              {"observer-sigma", 1, "kind = \"one-bit\"", 732},
                              {"observer-sigma", 2, "kind = \"top-k\"\nk = 2", 653},
                              {"observer-sigma", 2, "kind = \"quantizer\"\nbits = 3", 782},
                              {"observer-plus", 10, "kind = \"top-k\"\nk = 1", 837},
                              {"observer-plus", 10, "kind = \"one-bit\"", 857}};
  for (const Row& row : rows) {
    SCOPED_TRACE(fmt::format("{} {} {}", row.flow, row.kappa, row.compressor));
    Bench b = test::q10();
    b.steps = row.steps + 3;
    b.compressor = row.compressor;
    b.algorithm = fmt::format("flow = \"{}\"\nkappa = {}", row.flow, row.kappa);
    EXPECT_NEAR(static_cast<double>(test::first_below(result(b), 0, 1e-8)), static_cast<double>(row.steps), 2);
  }
  Bench b = test::q10();
  b.steps = b.every = 4000;
  b.algorithm = "flow = \"direct\"";
  for (const auto& [compressor, stalls_at] : {std::pair<std::string, double>{"kind = \"top-k\"\nk = 1", 0.535},
                                              {"kind = \"one-bit\"", 0.305},
                                              {"kind = \"quantizer\"\nbits = 6", 0.0086}}) {
    b.compressor = compressor;
    EXPECT_NEAR(result(b).arms[0].values[0][0].back(), stalls_at, 0.02 * stalls_at) << compressor;
  }
}

// S10: direct consensus with one coordinate at a time: over a cycle the late error shrinks by 1 - s alpha lambda_2, and the mean stays.
TEST_P(Flows, DirectConsensusAtItsExactRate) {
  if (!exact()) GTEST_SKIP() << "to 1e-7";
  Bench b = test::q10();
  b.unit_curvature = true;
  b = b.from_apart(folder_);
  b.kind = "consensus-flow";
  b.compressor = "kind = \"cyclic\"";
  b.algorithm = "flow = \"direct\"";
  b.learning_rate = 0.2;
  b.steps = 2000;
  b.every = 10;
  b.metrics = "\"optimum_distance\", \"mean_parameter_3\"";
  const RunResult r = result(b);
  const auto& e = r.arms[0].values[0][0];
  const auto& mean = r.arms[0].values[1][0];
  EXPECT_NEAR(e[200] / e[199], 0.9236068, 1e-7);
  for (const double v : mean) ASSERT_NEAR(v, mean[0], 1e-15);
}

// S8: just below the bound of theorem 4 the observer's consensus flow converges at alpha lambda_2, faster at first while other modes are left (the
// digest's 1.20, 1.04, 1.00 are over one horizon for all); it still does at 50 times the bound.
TEST_P(Flows, ObserverConsensusBelowTheBound) {
  if (!exact() || device() == "cuda") GTEST_SKIP() << "of the method, not of the precision or device";
  for (const auto& [compressor, bound] : {std::pair<std::string, double>{"kind = \"top-k\"\nk = 1", 0.00218},
                                          {"kind = \"top-k\"\nk = 2", 0.00436},
                                          {"kind = \"one-bit\"", 0.01090}}) {
    SCOPED_TRACE(compressor);
    Bench b = test::q10();
    b.unit_curvature = true;
    b = b.from_apart(folder_);
    b.kind = "consensus-flow";
    b.compressor = compressor;
    b.learning_rate = 0.05;
    const auto run = [&](double alpha, int64_t steps) {
      b.algorithm = fmt::format("alpha = {:.17e}", alpha);
      b.steps = steps;
      b.every = steps / 2;
      return result(b).arms[0].values[0][0];
    };
    const double alpha = 0.99 * bound, time = 3 / (alpha * 0.381966);
    const auto steps = 2 * static_cast<int64_t>(time / 0.05 / 2);
    const auto e = run(alpha, steps);
    const double slope = std::log(e[1] / e[2]) / (0.05 * static_cast<double>(steps / 2));
    EXPECT_GT(slope / (alpha * 0.381966), 0.999);
    EXPECT_LT(slope / (alpha * 0.381966), 1.25);
    const auto far = run(50 * bound, 20000);
    EXPECT_LT(far[2], 1e-3 * far[0]);
  }
}

// The bound of the Euler step is exact for quadratics: just below it the flow without compression settles, just above it grows. A warning names it.
TEST_P(Flows, EulerStepsBeyondTheBoundGrow) {
  if (!exact() || device() == "cuda") GTEST_SKIP() << "of the method, not of the precision or device";
  Bench b = test::q10();
  b.algorithm = "flow = \"uncompressed\"\nbeta = 1.5";
  b.steps = 1;
  const Experiment e = parse_experiment(b.text(), "law.toml", device());
  const Arm& arm = e.arms[0];
  const auto limit =
      euler_limit(*arm.algorithm->compressed(), Network(*arm.network, 1, {}), arm.model->quadratic_risk());
  ASSERT_TRUE(limit);
  EXPECT_GT(*limit, 0.1);
  EXPECT_LT(*limit, 1);
  b.steps = b.every = 3000;
  const auto end = [&](double share) {
    b.learning_rate = share * *limit;
    const RunResult r = result(b);
    EXPECT_EQ(r.notices.size(), share > 1 ? 1u : 0u) << share;
    return r.arms[0].values[0][0].back();
  };
  EXPECT_LT(end(0.98), 1e-6);
  EXPECT_GT(end(1.02), 1e3);
}

// What stalls or grows is said before it runs, with its reason; what works runs without a word.
TEST_P(Flows, NoticesNameTheReason) {
  const auto notices = [&](const std::string& algorithm, const std::string& compressor) {
    Bench b = bench();
    b.steps = 1;
    b.algorithm = algorithm;
    b.compressor = compressor;
    return result(b).notices;
  };
  const auto one = [&](const std::string& algorithm, const std::string& compressor, const std::string& part) {
    const auto all = notices(algorithm, compressor);
    ASSERT_EQ(all.size(), 1u) << compressor;
    EXPECT_NE(all[0].find(part), std::string::npos) << all[0];
  };
  one("flow = \"direct\"", "kind = \"top-k\"\nk = 2", "not monotone");
  one("", "kind = \"fixed-step\"\nstep = 0.1", "no ST compressor");
  one("flow = \"direct\"\nalpha = 1.4", "kind = \"cyclic\"\nscaled = true", "disagreement grows");
  one("kappa = 6.0", "kind = \"cyclic\"\nscaled = true", "its error grows");
  one("kappa = 9.0\nalpha = 2.0", "kind = \"cyclic\"", "of order 2");
  EXPECT_EQ(notices("flow = \"direct\"", "kind = \"cyclic\"").size(), 0u);
  EXPECT_EQ(notices("", "kind = \"top-k\"\nk = 2").size(), 0u);
  EXPECT_EQ(notices("flow = \"direct\"", "kind = \"identity\"").size(), 0u);
}

}  // namespace
}  // namespace orrery
