// What theory makes of estimates at the start of decentralised arms, against the whole problem and the oracle.
#include <nlohmann/json.hpp>

#include "runtime/theory/diffusion/common_part.hpp"
#include "runtime/theory/diffusion/leading_order.hpp"
#include "tests/laws/run_helpers.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery {
namespace {

using test::Trial;

// T1 or T1h from w* = 0 with constant noise: F_k = 1/2 sum_m h_km (x_m - c_km)^2, d_km = -h_km c_km.
Trial bed(const diffusion::LinearProblem& p, const std::string& kind, const std::string& graph) {
  Trial s;
  s.workers = 16;
  s.parameters = 4;
  s.kind = kind;
  s.network = "graph = { kind = \"" + graph + "\", mixing = \"metropolis\", period = 1 }\n";
  s.curvature = p.H;
  for (size_t i = 0; i < p.d.size(); ++i) s.center.push_back(-p.d[i] / p.H[i]);
  s.noise = 1;
  s.init = "0.0";
  s.learning_rate = p.step;
  s.batch = std::to_string(static_cast<int>(p.batch));
  s.steps = 1;
  s.head = "[theory]\nestimate = \"start\"\n";
  return s;
}

nlohmann::json estimates_of(const RunResult& r, size_t arm = 0) {
  return nlohmann::json::parse(r.theory.json)["arms"][arm]["diffusion"]["estimates"];
}

class CurvatureTheory : public test::OnEachCase {};
ORRERY_ON_CASES(CurvatureTheory, {"quadratic"}, {"fp64"});

// Every number of a quadratic arm is that of the whole problem.
TEST_P(CurvatureTheory, OfAQuadraticIsThatOfTheProblem) {
  for (const char* graph : {"ring", "grid"})
    for (diffusion::LinearProblem p : {test::t1(1), test::t1h(64)}) {
      p.step = 0.001;
      const auto modes = diffusion::graph_modes(test::mixing(graph));
      for (const auto s :
           {diffusion::Strategy::centralized, diffusion::Strategy::diffusion, diffusion::Strategy::consensus}) {
        SCOPED_TRACE(std::string(graph) + " " + name(s));
        const auto j = estimates_of(result(bed(p, name(s), graph)));
        const auto H = p.mean_hessian();
        const double trace = H[0] + H[1] + H[2] + H[3];
        const auto leading = diffusion::leading_order(p, s, modes, 1);
        const auto near = [&](const char* key, double want) {
          ASSERT_TRUE(j[key].is_number()) << key;
          EXPECT_NEAR(j[key].get<double>(), want, 1e-10 * std::abs(want)) << key;
        };
        near("trace_H", trace);
        near("trace_HR", trace);  // R = I
        near("trace_R", 4);
        near("lambda_max_H", H[0]);
        near("zeta_sq", p.heterogeneity());
        near("early_slope", diffusion::common_part_early(p, 1));
        near("late", diffusion::common_part_late(p));
        near("D", leading.heterogeneity);
        near("V", leading.noise);
        EXPECT_LT(j["gradient_sq"].get<double>(), 1e-25);
        if (s == diffusion::Strategy::centralized)
          EXPECT_TRUE(j["B_star"].is_null());  // nothing outweighs
        else
          near("B_star", diffusion::large_batch(p, s, modes));
        if (std::string(graph) == "grid" && p.batch == 1 && s == diffusion::Strategy::diffusion)
          test::expect_printed(j["B_star"], "29.3", "B* of the digest");
      }
    }
}

class SoftmaxTheory : public test::OnEachCase {};
ORRERY_ON_CASES(SoftmaxTheory, {"softmax"});

// Softmax at zero: z of every sample, d_k and products by differences of the oracle's gradients in float64.
TEST_P(SoftmaxTheory, OfSoftmaxIsTheOracle) {
  Trial s = trial(4).with_steps(1);
  s.kind = "consensus";
  s.network = "graph = { kind = \"ring\", mixing = \"metropolis\", period = 1 }\n";
  s.samples = 24;
  s.partition = "kind = \"iid\"";
  s.head = "[theory]\nestimate = \"start\"\n";
  s.learning_rate = 0.01;
  s.arms = "[record.hessian]\nprobes = 2\nlanczos_steps = 40\n";
  const RunResult r = result(s);
  const auto j = estimates_of(r);
  const test::Oracle oracle(s, device());
  const auto P = static_cast<size_t>(oracle.parameters());
  const std::vector<double> zero(P);

  // local gradients, and products with the Hessian of the mean risk by central differences
  std::vector<std::vector<double>> d;
  double zeta = 0;
  for (int64_t k = 0; k < 4; ++k) d.push_back(oracle.gradient(k, -1, zero.data()));
  for (const auto& row : d)
    for (const double v : row) zeta += v * v / 4;
  const auto form = [&](const std::vector<double>& v) {
    const double h = 1e-4;
    double sum = 0;
    for (int64_t k = 0; k < 4; ++k) {
      std::vector<double> up(P), down(P);
      for (size_t i = 0; i < P; ++i) up[i] = h * v[i], down[i] = -h * v[i];
      const auto forth = oracle.gradient(k, -1, up.data()), back = oracle.gradient(k, -1, down.data());
      for (size_t i = 0; i < P; ++i) sum += v[i] * (forth[i] - back[i]) / (2 * h) / 4;
    }
    return sum;
  };
  const double slack = GetParam().precision == "fp64" ? 1e-6 : 1e-4;
  EXPECT_NEAR(j["zeta_sq"].get<double>() / zeta, 1, slack);

  // D through the modes of the ring: p_i = 1/(1 - lambda_i)
  const auto modes = diffusion::graph_modes(test::mixing("ring", 4));
  double displaced = 0;
  for (size_t i = 1; i < 4; ++i) {
    std::vector<double> dhat(P);
    for (size_t k = 0; k < 4; ++k)
      for (size_t m = 0; m < P; ++m) dhat[m] += modes.U[k * 4 + i] * d[k][m];
    displaced += form(dhat) / std::pow(1 - modes.lambda[i], 2);
  }
  EXPECT_NEAR(j["D"].get<double>() / (1e-4 / 8 * displaced), 1, slack);

  // the noise: each of a worker's 6 samples, whose gradient at zero is (1/C - [class]) x
  const Partition& partition = *r.arms[0].partitions[0];
  std::string sentence;
  const Dataset data = parse_experiment(s.text(), "law.toml", device()).arms[0].data->load(&sentence);
  const auto features = static_cast<size_t>(data.features);
  const auto of_sample = [&](size_t worker, int64_t n) {
    const auto sample = static_cast<size_t>(partition.order[static_cast<size_t>(partition.begin[worker] + n)]);
    std::vector<double> g(P);
    for (size_t c = 0; c < static_cast<size_t>(data.classes); ++c) {
      const double share = 1.0 / data.classes - (static_cast<int>(c) == data.train.labels[sample] ? 1 : 0);
      for (size_t i = 0; i < features; ++i)
        g[c * features + i] = share * (data.scale * data.train.bytes[sample * features + i] + data.shift);
      g[static_cast<size_t>(data.classes) * features + c] = share;
    }
    return g;
  };
  double trace_R = 0, trace_HR = 0;
  for (int64_t k = 0; k < 4; ++k) {
    std::vector<std::vector<double>> z;
    ASSERT_EQ(partition.size[static_cast<size_t>(k)], 6);
    for (int64_t n = 0; n < 6; ++n) z.push_back(of_sample(static_cast<size_t>(k), n));
    for (auto& row : z) {
      for (size_t i = 0; i < P; ++i) row[i] -= d[static_cast<size_t>(k)][i];
      for (const double v : row) trace_R += v * v / 24;
      trace_HR += form(row) / 24;
    }
  }
  EXPECT_NEAR(j["trace_R"].get<double>() / trace_R, 1, slack);
  EXPECT_NEAR(j["trace_HR"].get<double>() / trace_HR, 1, slack);
  EXPECT_EQ(j["trace_HR_error"].get<double>(), 0);
}

// A quadratic that does not say what it is, as models without data and closed forms do not.
class Hidden final : public ModelSpec {
 public:
  explicit Hidden(std::shared_ptr<const ModelSpec> risk) : risk_(std::move(risk)) {}
  std::string kind() const override { return "hidden"; }
  bool needs_data() const override { return false; }
  std::vector<Tensor> layout(int64_t features, int classes) const override { return risk_->layout(features, classes); }
  std::unique_ptr<Model<float>> bind(const Context& ctx, const ModelInputs& in, float) const override {
    return risk_->bind(ctx, in, float{});
  }
  std::unique_ptr<Model<double>> bind(const Context& ctx, const ModelInputs& in, double) const override {
    return risk_->bind(ctx, in, double{});
  }
  int64_t workspace(Backend b, const ModelInputs& in, int64_t features, int64_t size) const override {
    return risk_->workspace(b, in, features, size);
  }
  std::vector<double> start(int64_t workers, int64_t features, int classes, uint64_t seed,
                            int64_t* rows) const override {
    return risk_->start(workers, features, classes, seed, rows);
  }

 private:
  std::shared_ptr<const ModelSpec> risk_;
};

// Then the noise is drawn: 16 x 256 draws of R = I give Tr(R) = 4 and Tr(H R) = 3.75 within 5 deviations, and the rest is as it was.
TEST_P(CurvatureTheory, DrawsTheNoiseOfOtherModels) {
  Experiment e = parse_experiment(bed(test::t1(64), "diffusion", "grid").text(), "law.toml", device());
  const auto known = estimates_of(run(e));
  e.arms[0].model = std::make_shared<Hidden>(e.arms[0].model);
  const RunResult r = run(e);
  const auto j = estimates_of(r);
  EXPECT_NEAR(j["trace_R"].get<double>(), 4, 5 * std::sqrt(8 / 4096.0));
  EXPECT_NEAR(j["trace_HR"].get<double>(), 3.75, 5 * std::sqrt(2 * 5.3125 / 4096));
  EXPECT_NE(j["trace_R"].get<double>(), 4);
  for (const char* key : {"trace_H", "lambda_max_H", "zeta_sq", "D"}) EXPECT_EQ(j[key], known[key]) << key;
  EXPECT_NEAR(j["V"].get<double>() / known["V"].get<double>(), 1, 0.1);
  EXPECT_NE(r.theory.text.find("leading order in the step"), std::string::npos) << r.theory.text;
}

// Where every sample would cost too much, random sums of them: the same expectation, within their standard error. 40 samples a worker behind
// the Hessian are just above the limit, 38 just below, and those Hessians differ by a few percent.
TEST(CurvatureNoise, OfRandomSumsIsInsideItsError) {
  Trial s;
  s.workers = 16;
  s.model = "softmax";
  s.precision = "fp32";
  s.kind = "diffusion";
  s.init = "\"zero\"";
  s.steps = 0;
  s.network = "graph = { kind = \"ring\", mixing = \"metropolis\", period = 1 }\n";
  s.samples = 16 * 80;
  s.partition = "kind = \"iid\"";
  s.head = "[theory]\nestimate = \"start\"\n";
  const auto with = [&](int samples) {
    s.arms = fmt::format("[record.hessian]\nprobes = 2\nlanczos_steps = 1\nsamples = {}\n", samples);
    return estimates_of(run(parse_experiment(s.text(), "law.toml", "cpu")));
  };
  const auto sums = with(40), all = with(38);
  const double error = sums["trace_HR_error"].get<double>(), want = all["trace_HR"].get<double>();
  EXPECT_EQ(all["trace_HR_error"].get<double>(), 0);
  EXPECT_GT(error, 0);
  EXPECT_LT(error, 0.1 * want);
  EXPECT_NEAR(sums["trace_HR"].get<double>(), want, 5 * error + 0.05 * want);
  EXPECT_NEAR(sums["trace_R"].get<double>(), all["trace_R"].get<double>(), 1e-6 * all["trace_R"].get<double>());
  EXPECT_NE(sums["noise_of"].get<std::string>().find("16 random sums"), std::string::npos);
}

// Other learning rates, weights and graphs: what cannot be said has its reason, the constants stay.
TEST_P(CurvatureTheory, SaysWhyItDoesNotApply) {
  Trial s = bed(test::t1(1), "diffusion", "ring");
  s.algorithm = "momentum = 0.5";
  const auto momentum = estimates_of(result(s));
  EXPECT_TRUE(momentum["trace_R"].is_number() && momentum["D"].is_null() && momentum["early_slope"].is_null());
  EXPECT_NE(momentum["reason"].get<std::string>().find("momentum"), std::string::npos);
  s = bed(test::t1(1), "diffusion", "ring");
  s.network = "graph = { kind = \"one-peer-exponential\", period = 1 }\n";
  const auto changing = estimates_of(result(s));
  EXPECT_TRUE(changing["early_slope"].is_number() && changing["D"].is_null());
  EXPECT_NE(changing["reason"].get<std::string>().find("changes over time"), std::string::npos);
  s.head = "";
  EXPECT_TRUE(estimates_of(result(s)).is_null());  // nobody asked
}

}  // namespace
}  // namespace orrery
