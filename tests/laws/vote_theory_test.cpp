// Theory beside measurement for sign votes: a static channel whose error rates are known, the convergence bound, and what is said where
// (papers/signsgd-fv.md 5, 8.1, V5, V13, V14).
#include <nlohmann/json.hpp>
#include <numeric>

#include "runtime/theory/sign_vote/cross_over.hpp"
#include "runtime/theory/sign_vote/decoding_bounds.hpp"
#include "runtime/theory/sign_vote/decoding_error.hpp"
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::Trial;

class VoteTheory : public test::OnEachCase {
 protected:
  // Nobody moves, and every coordinate has the gradient s and noise 1 of a sample: p_m = Q(s sqrt(B_m)).
  static constexpr double s = 0.1;
  Trial channel(const std::string& keys) const {
    Trial t = trial(15).with_steps(100);
    t.kind = "sign-vote";
    t.algorithm = keys;
    t.learning_rate = 0;
    t.batch = "[4, 4, 4, 4, 4, 4, 4, 4, 4, 154, 154, 154, 154, 154, 154]";  // mode 2
    t.parameters = 200;
    t.curvature.assign(15 * 200, 1.0);
    t.center.assign(15 * 200, -s);
    t.init = "0.0";
    t.noise = 1;
    t.every = 1;
    t.metrics = "\"vote_error\", \"vote_agreement\", \"grad_norm_1\"";
    return t;
  }
  // 1/2 |x - c|^2 in every coordinate, from x = 1 with c = 0
  Trial descent(const std::string& keys) const {
    Trial t = channel(keys);
    t.center.assign(15 * 200, 0.0);
    t.init = "1.0";
    t.learning_rate = 0.01;
    return t;
  }
  static nlohmann::json of(const RunResult& r, size_t arm = 0) {
    return nlohmann::json::parse(r.theory.json)["arms"][arm]["sign_vote"];
  }
};
ORRERY_ON_CASES(VoteTheory, {"quadratic"}, {"fp64", "fp32"});

constexpr double signs = 101 * 200;  // decoded: of all record points, independent draws each
double deviation(double p, double n) { return std::sqrt(p * (1 - p) / n); }

// standard deviation of P_E(p, v) where every p_m is a share of `signs` draws
double propagated(const std::vector<double>& p, const std::vector<double>& v) {
  double variance = 0;
  for (size_t m = 0; m < p.size(); ++m) {
    auto above = p, below = p;
    above[m] += 1e-6, below[m] -= 1e-6;
    const double slope = (*sign_vote::decoding_error(above, v) - *sign_vote::decoding_error(below, v)) / 2e-6;
    variance += slope * slope * p[m] * (1 - p[m]) / signs;
  }
  return std::sqrt(variance);
}

// V5 through the engine: p_m, the majority's error and that of sqrt(B), within 4.5 standard deviations of the exact values.
TEST_P(VoteTheory, AStaticChannelErrsAsOften) {
  std::vector<double> p;
  for (int m = 0; m < 15; ++m) p.push_back(sign_vote::upper_tail(s * std::sqrt(m < 9 ? 4.0 : 154.0)));
  std::vector<double> root(15, 2.0);
  std::fill(root.begin() + 9, root.end(), std::sqrt(154.0));
  for (const bool majority : {true, false}) {
    SCOPED_TRACE(majority ? "majority" : "sqrt-batch");
    const RunResult r = result(channel(majority ? "vote = \"majority\"" : "vote = \"sqrt-batch\""));
    EXPECT_TRUE(r.theory.warnings.empty()) << r.theory.warnings[0];
    const auto seen = of(r)["measured"];
    ASSERT_EQ(seen["decoded_signs"], signs);
    EXPECT_EQ(seen["looks"], 101);
    for (size_t m = 0; m < 15; ++m) {
      EXPECT_NEAR(seen["p"][m].get<double>(), p[m], 4.5 * deviation(p[m], signs)) << m;
      EXPECT_NEAR(seen["p_weighted"][m].get<double>(), seen["p"][m].get<double>(), 1e-6) << "all |g_n| are equal";
    }
    const double exact = sign_vote::decoding_error(p, majority ? std::vector<double>(15, 1) : root).value();
    const double error = seen["decoding_error"];
    EXPECT_NEAR(error, exact, 4.5 * deviation(exact, signs));
    EXPECT_NEAR(seen["vote_error"].get<double>(), error, 1e-6);
    // predicted from the measured rates: near the truth, and below every bound
    const auto& predicted = seen["predicted"];
    const double noise = 4.5 * propagated(p, majority ? std::vector<double>(15, 1) : root);
    EXPECT_NEAR(predicted["error"].get<double>(), exact, noise);
    EXPECT_NEAR(seen["by_class"]["error"].get<double>(), predicted["error"].get<double>(), 1e-9) << "one class";
    for (const char* bound : {"kearns_saul", "chernoff"}) {
      EXPECT_LT(error, predicted["bounds"][bound].get<double>());
      EXPECT_LT(error, seen["by_class"]["bounds"][bound].get<double>());
    }
    EXPECT_EQ(predicted["bounds"]["hoeffding"].is_null(), !majority);
    EXPECT_EQ(seen["bounds_exceeded"], 0);
    // the metric is the mean of what was kept
    const auto& agreed = r.arms[0].values[1][0];
    const auto& of_workers = seen["agreement"];
    double mean = 0;
    for (const auto& a : of_workers) mean += a.get<double>() / 15;
    EXPECT_NEAR(mean, std::accumulate(agreed.begin(), agreed.end(), 0.0) / 101, 1e-12);
  }
}

// Votes that learn: points before and after the warm-up are kept apart, and the weights are those of the measured agreement.
TEST_P(VoteTheory, TheWarmupIsKeptApart) {
  const RunResult r = result(channel("vote = \"fv-worker\"\nwarmup = 40"));
  const auto& votes = r.arms[0].votes;
  EXPECT_EQ(votes.warmup.looks, 40);
  EXPECT_EQ(votes.after.looks, 61);
  const auto seen = of(r)["measured"];
  EXPECT_EQ(seen["phase"], "rounds after the warm-up");
  EXPECT_EQ(seen["looks"], 61);
  EXPECT_EQ(seen["weights"], "weights of the measured agreement");
  EXPECT_LT(votes.after.decoding_error, 0.5 * votes.warmup.decoding_error) << "learned weights are better here";
  std::vector<double> w;
  for (const double a : votes.after.agreement) w.push_back(std::log(a / (1 - a)));
  EXPECT_NEAR(seen["predicted"]["error"].get<double>(), sign_vote::decoding_error(votes.after.p, w).value(), 1e-12);
  EXPECT_NEAR(seen["predicted"]["bounds"]["kearns_saul"].get<double>(),
              std::exp(-sign_vote::kearns_saul_exponent(votes.after.p, w)), 1e-12);
  // a warm-up that never ends is all there is: the majority's
  const auto warm = of(result(channel("vote = \"fv-worker\"\nwarmup = 1000")))["measured"];
  EXPECT_EQ(warm["phase"], "rounds of the warm-up");
  EXPECT_EQ(warm["weights"], "equal weights");
  EXPECT_EQ(warm["looks"], 101);
}

// Replicas are averaged: their own channels, as many looks each.
TEST_P(VoteTheory, ReplicasAreAveraged) {
  Trial t = channel("vote = \"majority\"").with_steps(9);
  const auto one = result(t).arms[0].votes.after;
  t.seed += 1;
  const auto other = result(t).arms[0].votes.after;
  t.seed -= 1;
  t.replicas = 2;
  const auto both = result(t).arms[0].votes.after;
  EXPECT_EQ(both.looks, 20);
  EXPECT_EQ(both.decoded, one.decoded + other.decoded);
  EXPECT_NE(one.p, other.p);
  for (size_t m = 0; m < 15; ++m) EXPECT_NEAR(both.p[m], (one.p[m] + other.p[m]) / 2, 1e-12);
  EXPECT_NEAR(both.decoding_error, (one.decoding_error + other.decoding_error) / 2, 1e-12);
}

// V13, V14: the measured mean of sum |g_n| (1 - 2 [wrong]) is (f_0 - f_T)/(delta T) + delta |L|_1/2 where no vote ties, and never above R.
TEST_P(VoteTheory, ConvergenceIsBounded) {
  Trial t = descent("vote = \"majority\"\nsign_zero = \"plus\"");
  t.metrics += ", \"train_loss\"";
  const RunResult r = result(t);
  const auto& v = r.arms[0].values;
  double decoded = 0, norm = 0;
  for (size_t k = 0; k < 100; ++k) {
    decoded += v[2][0][k] * (1 - 2 * v[0][0][k]) / 100;
    norm += v[2][0][k] / 100;
  }
  const double identity = (v[3][0][0] - v[3][0][100]) / (0.01 * 100) + 0.01 * 200 / 2;
  EXPECT_NEAR(decoded, identity, (GetParam().precision == "fp64" ? 1e-10 : 1e-4) * identity);

  const auto theory = of(r)["convergence"];
  EXPECT_NEAR(theory["norm1_L"]["value"].get<double>(), 200, 1e-9);
  EXPECT_NEAR(theory["gap"]["value"].get<double>(), 100, 1e-4);
  EXPECT_NEAR(theory["R"].get<double>(), 100 / (0.01 * 100) + 0.01 * 200 / 2, 1e-4);
  EXPECT_NEAR(theory["best_step"].get<double>(), std::sqrt(2 * 100 / (100.0 * 200)), 1e-7);
  EXPECT_NEAR(theory["best_R"].get<double>(), std::sqrt(2 * 200 * 100 / 100.0), 1e-4);
  EXPECT_LE(decoded, theory["R"].get<double>());
  // floors: sqrt(3)/2 |sigma|_1 / (sqrt(15) mean sqrt(B)) and / sqrt(sum B), sum B = 960
  EXPECT_NEAR(theory["majority_floor"].get<double>(),
              std::sqrt(3.0) / 2 * 200 / (std::sqrt(15.0) * (9 * 2 + 6 * std::sqrt(154.0)) / 15), 1e-9);
  EXPECT_NEAR(theory["sqrt_batch_floor"].get<double>(), std::sqrt(3.0) / 2 * 200 / std::sqrt(960.0), 1e-9);

  // the rows show the same
  int found = 0;
  for (const auto& row : r.theory.tables[0].rows) {
    if (row.quantity == "time average of sum_n |g_n| (1 - 2 P_E)") {
      EXPECT_NEAR(row.measured.value(), decoded, 1e-9 * decoded);
      EXPECT_EQ(row.predicted.value(), theory["R"].get<double>());
      ++found;
    }
    if (row.quantity == "time average of |grad f(u)|_1") {
      EXPECT_NEAR(row.measured.value(), norm, 1e-9 * norm);
      EXPECT_LE(*row.measured, row.predicted.value());
      ++found;
    }
  }
  EXPECT_EQ(found, 2);
  EXPECT_TRUE(r.theory.warnings.empty());
}

// A bound that the user's constants make too small is exceeded, and said; sum_n L_n of the file goes before the exact one.
TEST_P(VoteTheory, WarnsAboveTheBound) {
  Trial t = descent("vote = \"majority\"");
  t.arms = "[theory]\nestimate = \"off\"\nsmoothness_norm1 = 1e-3\noptimum = 99.9\nsigma_norm1 = 50\n";
  const RunResult r = result(t);
  ASSERT_EQ(r.theory.warnings.size(), 1u);
  EXPECT_NE(r.theory.warnings[0].find("above the bound"), std::string::npos) << r.theory.warnings[0];
  EXPECT_NE(r.theory.warnings[0].find("sign descent"), std::string::npos) << r.theory.warnings[0];
  EXPECT_EQ(of(r)["convergence"]["norm1_L"]["source"], "given");
  EXPECT_NEAR(of(r)["convergence"]["sqrt_batch_floor"].get<double>(), std::sqrt(3.0) / 2 * 50 / std::sqrt(960.0), 1e-9);
}

// Votes that err together are not what the bounds are about, and the sentence says so. In every tenth coordinate 14 of 15 workers are sure
// of the wrong sign: +1 each against one with -30; |g_n| = 16/15 everywhere. p = 1/10, but all err at once.
TEST_P(VoteTheory, WarnsWhereVotesDependOnEachOther) {
  Trial t = channel("vote = \"majority\"").with_steps(20);
  t.batch = "64";
  for (int64_t j = 0; j < 200; ++j)
    for (int64_t i = 0; i < 15; ++i)
      t.center[static_cast<size_t>(i * 200 + j)] = j % 10 != 0 ? -16.0 / 15 : i == 14 ? 30 : -1;
  // the mean of the centers of a tenth coordinate is +16/15: the objective falls the other way there
  const RunResult r = result(t);
  const auto seen = of(r)["measured"];
  EXPECT_NEAR(seen["decoding_error"].get<double>(), 0.1, 1e-6);
  EXPECT_NEAR(seen["p"][0].get<double>(), 0.1, 1e-6);
  EXPECT_NEAR(seen["p"][14].get<double>(), 0, 1e-6);
  EXPECT_LT(seen["predicted"]["error"].get<double>(), 1e-3);
  ASSERT_EQ(r.theory.warnings.size(), 1u);
  EXPECT_NE(r.theory.warnings[0].find("the votes depend on each other"), std::string::npos) << r.theory.warnings[0];
  EXPECT_EQ(seen["exceeded"], (nlohmann::json{"Hoeffding", "Kearns-Saul", "Chernoff"}));
  EXPECT_EQ(seen["bounds_exceeded"], 3);
}

// What cannot be said has a reason: no reference, exact gradients, workers of different minds, a learning rate that drops.
TEST_P(VoteTheory, WhatIsMissingIsSaid) {
  Trial t = channel("vote = \"majority\"").with_steps(4);
  t.metrics = "\"vote_agreement\"";
  auto json = of(result(t));
  EXPECT_EQ(json["measured"]["reason"], "no reference gradient: record vote_error");
  EXPECT_EQ(json["measured"]["agreement"].size(), 15u);
  EXPECT_EQ(json["convergence"]["reasons"][0], "the learning rate is 0");
  t.metrics = "\"train_loss\"";
  EXPECT_TRUE(of(result(t))["measured"]["value"].is_null());

  t = descent("vote = \"majority\"").with_steps(4);
  t.rate = "{ start = 0.1, drops = [[2, 0.5]] }";
  t.batch = "\"full\"";
  t.center[7] = 3;
  json = of(result(t));
  EXPECT_NE(json["convergence"]["reasons"][0].get<std::string>().find("learning rate drops"), std::string::npos);
  EXPECT_EQ(json["convergence"]["floor_reasons"][0], "gradients are exact");
  EXPECT_NE(json["convergence"]["floor_reasons"][1].get<std::string>().find("different objectives"), std::string::npos);
  EXPECT_TRUE(json["convergence"]["R"].is_null() && json["convergence"]["majority_floor"].is_null());
}

// On data p is held against the gradient of the objective over all data: whole batches of data that all see never err.
class VoteTheoryOnData : public test::OnEachCase {};
ORRERY_ON_CASES(VoteTheoryOnData, {"softmax"}, {"fp64"});

TEST_P(VoteTheoryOnData, ExactGradientsNeverErr) {
  Trial t = trial(5).with_steps(6);
  t.kind = "sign-vote";
  t.learning_rate = 1e-3;
  t.partition = "kind = \"shared\"";
  t.algorithm = "vote = \"majority\"";
  t.batch = "\"full\"";
  t.every = 1;
  t.metrics = "\"vote_error\", \"grad_norm_1\", \"train_loss\"";
  const RunResult r = result(t);
  const auto& seen = r.arms[0].votes.after;
  ASSERT_EQ(seen.references, 7);
  EXPECT_GT(seen.decoded, 0);
  EXPECT_LT(seen.decoding_error, 1e-3);  // but for gradients that rounding alone makes
  EXPECT_LT(seen.vote_error, 1e-12);
  for (const double p : seen.p) EXPECT_LT(p, 1e-3);
  const auto json = nlohmann::json::parse(r.theory.json)["arms"][0]["sign_vote"];
  EXPECT_NE(json["convergence"]["reasons"][0].get<std::string>().find("theory.smoothness_norm1"), std::string::npos);
  EXPECT_EQ(json["convergence"]["reasons"].size(), 1u);
  // with L for every coordinate there is a bound
  t.arms = "[theory]\nestimate = \"off\"\nsmoothness = 30.0\n";
  const RunResult bounded = result(t);
  const auto with = nlohmann::json::parse(bounded.theory.json)["arms"][0]["sign_vote"]["convergence"];
  EXPECT_NEAR(with["norm1_L"]["value"].get<double>(), 30.0 * 7850, 1e-6);
  EXPECT_FALSE(with["R"].is_null());
  EXPECT_TRUE(bounded.theory.warnings.empty());
  // a floor is for workers of one mind
  t.arms = "[theory]\nestimate = \"off\"\nsigma_norm1 = 10.0\n";
  t.batch = "4";
  const auto floor = [&](const char* partition) {
    t.partition = partition;
    return nlohmann::json::parse(result(t).theory.json)["arms"][0]["sign_vote"]["convergence"];
  };
  EXPECT_NEAR(floor("kind = \"shared\"")["majority_floor"].get<double>(),
              std::sqrt(3.0) / 2 * 10 / (std::sqrt(5.0) * 2), 1e-12);
  const auto apart = floor("kind = \"dirichlet\"\nalpha = 0.5");
  EXPECT_TRUE(apart["majority_floor"].is_null());
  EXPECT_NE(apart["floor_reasons"][0].get<std::string>().find("different data"), std::string::npos);
}

}  // namespace
}  // namespace orrery
