// Sign voting: whole runs against the rules of signsgd-fv.md 3.1 - 3.5 written out in float64, one worker and one number after the other,
// and the laws of the method (V2, V3, V17, V18, V23, V24).
#include <numeric>

#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::Trial;

class SignVote : public test::OnEachCase {
 protected:
  // Start at 0.25 everywhere; whatever the model, single bits decide, so steps are short and few.
  Trial voting(const std::string& keys, int64_t workers = 5, int64_t steps = 14) const {
    Trial s = trial(workers).with_steps(steps);
    s.kind = "sign-vote";
    s.learning_rate = 0.01;
    s.algorithm = keys;
    s.metrics = "\"vote_error\", \"vote_agreement\", \"bits_up\", \"bits_down\"";
    s.every = 1;
    s.noise = 3;
    if (softmax()) s.init = "\"zero\"";
    return s;
  }
};
ORRERY_ON_CASES(SignVote, {"quadratic"}, {"fp64", "fp32"});

int sign(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

struct Rule {
  std::string vote;
  double warmup = 100, clip = 10, phi = 1;
  std::string keys() const {
    std::string text = "vote = \"" + vote + "\"\n";
    if (vote != "majority" && vote != "sqrt-batch")
      text += fmt::format("warmup = {}\nclip = {}\nforgetting = {}\n", warmup, clip, phi);
    return text;
  }
};

// The model after every round, (rounds + 1, P); 3.3 - 3.5 of the digest.
std::vector<std::vector<double>> written_out(const Trial& s, const Rule& rule, const std::string& device,
                                             double* agreement_of_last = nullptr) {
  const test::Oracle oracle(s, device);
  const auto m = static_cast<size_t>(s.workers), n = static_cast<size_t>(oracle.parameters());
  constexpr double eps = 1e-5;
  std::vector<std::vector<double>> path{std::vector<double>(n, s.init == "\"zero\"" ? 0 : std::stod(s.init))};
  std::vector<double> A(m * n), pooled(m);
  double C = 0;
  const auto llr = [&](double agreements) {
    if (C == 0) return 1.0;
    const double a = agreements / (C + eps);
    const double w = std::clamp(std::log((a + eps) / (1 - a + eps)), -rule.clip, rule.clip);
    return rule.vote == "fv-nonneg" ? std::max(w, 0.0) : w;
  };
  for (int64_t t = 0; t < s.steps; ++t) {
    std::vector<std::vector<double>> g;
    for (size_t i = 0; i < m; ++i) g.push_back(oracle.gradient(static_cast<int64_t>(i), t, path.back().data()));
    const bool warm = static_cast<double>(t) < rule.warmup;
    std::vector<double> x = path.back();
    double agreed = 0;
    std::vector<double> agreed_of(m);
    for (size_t j = 0; j < n; ++j) {
      double score = 0;
      for (size_t i = 0; i < m; ++i) {
        double w = 1;
        if (rule.vote == "fv" || rule.vote == "fv-nonneg") w = warm ? 1 : llr(A[i * n + j]);
        if (rule.vote == "fd") w = warm ? llr(pooled[i] / static_cast<double>(n)) : llr(A[i * n + j]);
        if (rule.vote == "fv-worker") w = warm ? 1 : llr(pooled[i] / static_cast<double>(n));
        score += w * sign(g[i][j]);
      }
      const int u = sign(score);
      for (size_t i = 0; i < m; ++i) {
        const bool agrees = u == sign(g[i][j]);
        A[i * n + j] = rule.phi * A[i * n + j] + agrees;
        agreed_of[i] += agrees;
        agreed += agrees;
      }
      x[j] -= s.learning_rate * u;
    }
    for (size_t i = 0; i < m; ++i) pooled[i] = rule.phi * pooled[i] + agreed_of[i];
    C = rule.phi * C + 1;
    if (agreement_of_last) *agreement_of_last = agreed / static_cast<double>(m * n);
    path.push_back(std::move(x));
  }
  return path;
}

TEST_P(SignVote, IsWhatTheDigestWritesOut) {
  for (const Rule& rule :
       {Rule{"majority"}, Rule{"fv", 3}, Rule{"fv", 0}, Rule{"fv-nonneg", 4, 2}, Rule{"fd", 5}, Rule{"fv-worker", 4},
        Rule{"fv", 3, 10, 0.8}, Rule{"fd", 4, 1.5, 0.9}, Rule{"fv-worker", 2, 10, 0.7}, Rule{"sqrt-batch"}}) {
    SCOPED_TRACE(rule.keys());
    Trial s = voting(rule.keys(), 5, 24);
    s.parameters = 7;
    const auto path = written_out(s, rule, device());
    const RunResult r = result(s);
    const auto got = test::models(r.arms[0]);
    ASSERT_EQ(got.size(), static_cast<size_t>(5 * 7));
    EXPECT_LE(test::difference(std::vector<double>(got.begin(), got.begin() + 7), path.back()), tolerance());
    for (size_t i = 7; i < got.size(); ++i) EXPECT_EQ(got[i], got[i % 7]) << "all workers hold the shared model";
    // it went somewhere, and not the same way in every coordinate
    EXPECT_GT(std::abs(path.back()[0] - path[0][0]), 0.02);
  }
}

// Counts that fade are rounded to float32 and may pass C: no weight becomes a NaN, and workers that always agree keep deciding alike.
TEST_P(SignVote, FadingCountsNeverPassTheRounds) {
  Trial s = voting("vote = \"fv\"\nwarmup = 5\nforgetting = 0.9\nepsilon = 1e-8", 3, 200);
  s.noise = 0;
  s.parameters = 40;
  s.learning_rate = 0.001;
  s.init = "1.0";
  s.curvature.assign(120, 1.0);
  s.center.assign(120, 0.0);
  for (const double x : final_models(s)) EXPECT_NEAR(x, 0.8, 1e-4);
}

// The recursions for quadratics are about steps along gradients.
TEST_P(SignVote, TheoryOfGradientStepsIsNotQuoted) {
  Trial s = voting("vote = \"majority\"");
  const RunResult r = result(s);
  for (const auto& row : r.theory.tables[0].rows)
    EXPECT_EQ(row.note.find("expectation"), std::string::npos) << row.quantity << ": " << row.note;
}

// V2: equal weights decide as the majority does, and a warm-up beyond the run is the majority's run, bit for bit.
TEST_P(SignVote, EqualWeightsAreTheMajority) {
  const auto majority = final_models(voting("vote = \"majority\""));
  for (const char* keys : {"vote = \"fv\"\nwarmup = 1000", "vote = \"fv-worker\"\nwarmup = 1000",
                           "vote = \"fv-nonneg\"\nwarmup = 1000\nforgetting = 0.9", "vote = \"sqrt-batch\""})
    EXPECT_EQ(final_models(voting(keys)), majority) << keys;
  EXPECT_NE(final_models(voting("vote = \"fv\"\nwarmup = 2", 5, 40)),
            final_models(voting("vote = \"majority\"", 5, 40)));
}

// A warm-up that never ends is allowed, and said.
TEST_P(SignVote, AWarmupBeyondTheRunIsSaid) {
  const auto notices = [&](const std::string& keys) {
    std::string all;
    for (const auto& n : result(voting(keys, 5, 4)).notices) all += n;
    return all;
  };
  EXPECT_NE(notices("vote = \"fv\"\nwarmup = 4").find("is plain majority throughout"), std::string::npos);
  EXPECT_NE(notices("vote = \"fd\"\nwarmup = 9").find("one weight per worker throughout"), std::string::npos);
  EXPECT_EQ(notices("vote = \"fv\"\nwarmup = 3").find("throughout"), std::string::npos);
  EXPECT_EQ(notices("vote = \"majority\"").find("throughout"), std::string::npos);
}

// vote_agreement and vote_error look at the round that comes next; looking changes nothing.
TEST_P(SignVote, MetricsLookAhead) {
  const Rule rule{"fd", 4};
  Trial s = voting(rule.keys(), 5, 9);
  const RunResult r = result(s);
  double last = 0;
  const auto path = written_out(s, rule, device(), &last);
  EXPECT_NEAR(r.arms[0].values[1][0][8], last, 1e-12);  // at step 8: the round that leads to step 9
  const test::Oracle oracle(s, device());
  for (size_t t = 0; t < 9; ++t) {
    double wrong = 0, all = 0;
    for (size_t j = 0; j < path[t].size(); ++j) {
      double g = 0;
      for (int64_t i = 0; i < 5; ++i) g += oracle.gradient(i, -1, path[t].data())[j] / 5;
      const int u = sign(path[t][j] - path[t + 1][j]);
      all += std::abs(g);
      wrong += std::abs(g) * (u == 0 ? 0.5 : u != sign(g));
    }
    EXPECT_NEAR(r.arms[0].values[0][0][t], wrong / all, 20 * tolerance()) << "step " << t;
  }
  Trial rarely = s;
  rarely.every = 1000;
  rarely.metrics = "\"train_loss\"";
  EXPECT_EQ(final_models(rarely), test::models(r.arms[0]));
}

// V17: a bit per coordinate and worker up, as many down, log2(3) times as many where a tie may be sent as zero.
TEST_P(SignVote, LedgerCountsBits) {
  Trial s = voting("sign_zero = \"plus\"", 5, 6);
  s.parameters = 33;
  const RunResult plus = result(s);
  s.algorithm = "sign_zero = \"zero\"";
  const RunResult zero = result(s);
  EXPECT_EQ(plus.arms[0].values[2][0].back(), 6 * 5 * 33);
  EXPECT_EQ(plus.arms[0].values[3][0].back(), 6 * 5 * 33);
  EXPECT_EQ(zero.arms[0].values[2][0].back(), 6 * 5 * 33);
  EXPECT_EQ(zero.arms[0].values[3][0].back(), 6 * 5 * std::ceil(33 * std::log2(3.0)));
  ASSERT_EQ(plus.arms[0].links[0].size(), 1u);
  EXPECT_EQ(plus.arms[0].links[0][0].name, "server");
}

// V18: two workers that disagree tie in every coordinate: no step, a step down for plus, either for random.
TEST_P(SignVote, TiesFollowTheRule) {
  const auto moves = [&](const std::string& rule) {
    Trial s = voting("sign_zero = \"" + rule + "\"", 2, 1);
    s.parameters = 64;
    s.batch = "\"full\"";
    s.curvature.assign(128, 1.0);
    s.center.assign(128, 5.0);
    std::fill(s.center.begin() + 64, s.center.end(), -5.0);
    s.metrics = "\"bits_up\"";
    const auto x = final_models(s);
    std::vector<int> u;
    for (size_t j = 0; j < 64; ++j) u.push_back(sign(std::round((0.25 - x[j]) / 0.01)));
    return u;
  };
  EXPECT_EQ(moves("zero"), std::vector<int>(64, 0));
  EXPECT_EQ(moves("plus"), std::vector<int>(64, 1));
  const auto random = moves("random");
  const int sum = std::accumulate(random.begin(), random.end(), 0);
  EXPECT_EQ(std::count(random.begin(), random.end(), 0), 0);
  EXPECT_LT(std::abs(sum), 34);  // 4 standard deviations of 64 coins and a bit
  EXPECT_EQ(moves("random"), random);
}

// V24: the same bits on any number of threads, alone and among other replicas and arms.
TEST_P(SignVote, TheSameBitsAloneAndAmongOthers) {
  Trial s = voting("vote = \"fd\"\nwarmup = 3", 5, 12);
  s.parameters = 100;
  const auto alone = final_models(s);
  set_threads(3);
  EXPECT_EQ(final_models(s), alone);
  set_threads(1);
  EXPECT_EQ(final_models(s), alone);
  set_threads(0);
  Trial many = s;
  many.replicas = 3;
  many.arms =
      "[[arm]]\nname = \"a\"\nalgorithm.vote = \"fv\"\n[[arm]]\nname = \"b\"\n[[arm]]\nname = \"c\"\nalgorithm.vote = "
      "\"fv-worker\"\n";
  const RunResult r = result(many);
  const auto among = test::models(r.arms[1]);
  EXPECT_EQ(std::vector<double>(among.begin(), among.begin() + 500), alone);
  EXPECT_NE(test::models(r.arms[0]), among);
}

}  // namespace
}  // namespace orrery
