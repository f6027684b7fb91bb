// Metrics of curvature in whole runs, and what theory makes of estimates at the start.
#include <nlohmann/json.hpp>

#include "runtime/theory/diffusion/common_part.hpp"
#include "runtime/theory/diffusion/leading_order.hpp"
#include "tests/laws/run_helpers.hpp"
#include "tests/runtime/theory/diffusion/beds.hpp"

namespace orrery {
namespace {

using test::Trial;

const std::string all_metrics =
    "\"hessian_trace\", \"hessian_trace_error\", \"hessian_top\", \"worker_hessian_trace\", \"worker_hessian_top\"";

class Curvature : public test::OnEachCase {};
ORRERY_ON_CASES(Curvature);

double at(const RunResult& r, size_t metric, size_t point, size_t arm = 0, size_t replica = 0) {
  return r.arms[arm].values[metric][replica][point];
}

// f of a quadratic has the Hessian diag(sum_i a_i a_ij) everywhere; softmax at zero that of even probabilities, whose trace is
// (1 - 1/C) (sum_s u_s |x_s|^2 + 1) + l2 C d, taken here from the estimate of 800 probes within 5 of its standard errors.
TEST_P(Curvature, IsThatOfTheObjective) {
  Trial s = trial(6).with_steps(3).with_network("weights = [1, 3, 2, 2, 1, 1]\nrates = [0.6, 0.4, 1, 0.5, 0.8, 0.7]\n");
  const std::vector<double> a{0.1, 0.3, 0.2, 0.2, 0.1, 0.1};
  s.metrics = all_metrics;
  s.every = 1;
  s.samples = 60;
  s.arms =
      softmax() ? "[record.hessian]\nprobes = 60\nlanczos_steps = 12\nevery = 3\n" : "[record.hessian]\nprobes = 2\n";
  const RunResult r = result(s);
  if (!softmax()) {
    double trace = 0, top = 0;
    for (int64_t j = 0; j < 3; ++j) {
      double h = 0;
      for (int64_t i = 0; i < 6; ++i) h += a[static_cast<size_t>(i)] * s.a(i, j);
      trace += h, top = std::max(top, h);
    }
    for (size_t point = 0; point < 4; ++point) {
      for (const size_t metric : {0, 3}) EXPECT_NEAR(at(r, metric, point), trace, 10 * tolerance() * trace);
      for (const size_t metric : {2, 4}) EXPECT_NEAR(at(r, metric, point), top, 10 * tolerance() * top);
      EXPECT_NEAR(at(r, 1, point), 0, 10 * tolerance() * trace);  // diagonal: no variance
    }
    return;
  }
  const Experiment e = parse_experiment(s.text(), "law.toml", device());
  const Partition& partition = *r.arms[0].partitions[0];
  std::string sentence;
  const Dataset data = e.arms[0].data->load(&sentence);
  double square = 0;
  for (size_t w = 0; w < 6; ++w)
    for (int64_t k = 0; k < partition.size[w]; ++k)
      for (int64_t j = 0; j < data.features; ++j) {
        const int64_t sample = partition.order[static_cast<size_t>(partition.begin[w] + k)];
        square +=
            a[w] / static_cast<double>(partition.size[w]) *
            std::pow(data.scale * data.train.bytes[static_cast<size_t>(sample * data.features + j)] + data.shift, 2);
      }
  const double C = data.classes, want = (1 - 1 / C) * (square + 1) + s.l2 * C * static_cast<double>(data.features);
  EXPECT_NEAR(at(r, 0, 0), want, 5 * at(r, 1, 0));
  EXPECT_GT(at(r, 1, 0), 0);
  EXPECT_LT(at(r, 1, 0), 0.3 * want);
  EXPECT_NEAR(at(r, 3, 0) / at(r, 0, 0), 1, 100 * tolerance());  // all workers are at the mean, with the same probes
  EXPECT_GT(at(r, 2, 0), s.l2);
  EXPECT_LT(at(r, 2, 0), want);
  EXPECT_NE(at(r, 3, 3), at(r, 0, 3));  // and no longer after three steps
  // not taken between
  for (size_t metric = 0; metric < 5; ++metric)
    for (const size_t point : {1, 2}) EXPECT_TRUE(std::isnan(at(r, metric, point)));
}

// Metrics look and do not touch: models and the other metrics are the same bits without them.
TEST_P(Curvature, ChangesNothingInTheRun) {
  Trial s = trial(6).with_steps(4);
  s.samples = 60;
  s.every = 2;
  s.metrics = "\"train_loss\"";
  const RunResult plain = result(s);
  s.metrics = "\"train_loss\", " + all_metrics;
  s.arms = "[record.hessian]\nprobes = 3\nlanczos_steps = 2\n" + std::string(softmax() ? "samples = 5\n" : "");
  const RunResult looked = result(s);
  EXPECT_EQ(test::models(plain.arms[0]), test::models(looked.arms[0]));
  EXPECT_EQ(plain.arms[0].values[0], looked.arms[0].values[0]);
}

// A replica has the same values alone and beside others, and so has an arm.
TEST_P(Curvature, DependsOnTheLaneAlone) {
  Trial s = trial(4).with_steps(2);
  s.samples = 40;
  s.metrics = "\"hessian_trace\", \"hessian_top\"";
  s.arms = "[record.hessian]\nprobes = 4\nlanczos_steps = 3\n";
  s.replicas = 3;
  const RunResult together = result(s);
  s.replicas = 1;
  s.seed += 2;
  const RunResult alone = result(s);
  for (size_t metric = 0; metric < 2; ++metric)
    EXPECT_NEAR(at(together, metric, 1, 0, 2), at(alone, metric, 1),
                device() == "cpu" ? 0 : 1000 * tolerance() * std::abs(at(alone, metric, 1)));
}

// Methods that share models: of one server, all workers are at its model; of voting hubs, each at its hub's.
TEST_P(Curvature, OfSharedModels) {
  for (const bool hubs : {false, true}) {
    Trial s = trial(6).with_steps(2);
    s.kind = "sign-vote";
    s.samples = 60;
    s.metrics = all_metrics;
    s.learning_rate = 0.01;
    s.init = softmax() ? "\"zero\"" : "0.25";
    if (hubs)
      s.network = "tiers = [{ name = \"hub\", nodes = 2, period = 1 }, { name = \"cloud\", nodes = 1, period = 4 }]\n";
    s.arms = "[record.hessian]\nprobes = 3\nlanczos_steps = 4\n";
    const RunResult r = result(s);
    for (size_t metric = 0; metric < 5; ++metric) EXPECT_TRUE(std::isfinite(at(r, metric, 1))) << metric;
    if (!hubs) {
      EXPECT_EQ(at(r, 3, 1), at(r, 0, 1));
      EXPECT_EQ(at(r, 4, 1), at(r, 2, 1));
    } else if (softmax()) {
      EXPECT_NE(at(r, 3, 1), at(r, 0, 1));
    }
  }
}

// Planned: the rows of the products, twice over for a model that takes differences.
TEST_P(Curvature, MemoryIsWithinThePlan) {
  Trial s = trial(8).with_steps(1);
  s.samples = 80;
  s.metrics = all_metrics;
  s.arms = "[record.hessian]\nprobes = 20\nlanczos_steps = 3\n";
  const RunResult r = result(s);
  EXPECT_LE(r.peak_memory, r.planned_memory + (int64_t{1} << 20));
  EXPECT_GE(static_cast<double>(r.peak_memory), 0.3 * static_cast<double>(r.planned_memory));
}

// ---- theory

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
