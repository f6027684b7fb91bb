// What [model] may say: the start of the parameters for every registered model, the constants of a quadratic, and every
// mistake.
#include <algorithm>
#include <functional>

#include "kernels/core/npy.hpp"
#include "models/model.hpp"
#include "tests/datasets/files.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::complaint;

constexpr int64_t kWorkers = 3, kFeatures = 4;
constexpr int kClasses = 3;

std::unique_ptr<ModelSpec> spec_of(const std::string& table, int64_t workers = kWorkers) {
  Params p = Params::from_text("[model]\n" + table, "exp.toml");
  Params m = p.table("model");
  auto spec = make_model(m, workers);
  p.require_all_read();
  return spec;
}

// The least that a kind needs to be said.
std::string table_of(const std::string& kind) {
  return "kind = \"" + kind + "\"\n" +
         (kind == "quadratic"  ? "dimension = 5\n"
          : kind == "logistic" ? "positive = [1]\n"
          : kind == "mlp"      ? "hidden = [4]\n"
                               : "");
}

struct Start {
  std::vector<double> values;
  int64_t rows = 0;
};
Start start_of(const ModelSpec& spec, uint64_t seed = 1) {
  Start s;
  s.values = spec.start(kWorkers, kFeatures, kClasses, seed, &s.rows);
  return s;
}

std::vector<double> counting(int64_t n) {
  std::vector<double> v;
  for (int64_t i = 0; i < n; ++i) v.push_back(static_cast<double>(i) + 0.25);
  return v;
}

class ModelStart : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<ModelSpec> with(const std::string& init) const {
    return spec_of(table_of(GetParam()) + "init = " + init + "\n");
  }
  std::string npy(const std::vector<int64_t>& shape) const {
    int64_t n = 1;
    for (int64_t k : shape) n *= k;
    const std::string path = dir_.path("start.npy");
    write_npy(path, shape, counting(n));
    return path;
  }
  test::TempDir dir_;
};

TEST_P(ModelStart, DefaultIsTheModelsOwn) {
  for (const auto& spec : {spec_of(table_of(GetParam())), with("\"default\"")}) {
    const Start s = start_of(*spec, 42);
    EXPECT_EQ(s.rows, 1);
    EXPECT_EQ(s.values, spec->default_start(kFeatures, kClasses, 42));
    EXPECT_EQ(static_cast<int64_t>(s.values.size()), spec->parameters(kFeatures, kClasses));
  }
}

TEST_P(ModelStart, ZeroAndNumber) {
  const int64_t P = spec_of(table_of(GetParam()))->parameters(kFeatures, kClasses);
  const std::pair<const char*, double> starts[] = {{"\"zero\"", 0.0}, {"0.5", 0.5}, {"-2", -2.0}, {"0", 0.0}};
  for (const auto& [init, want] : starts) {
    const Start s = start_of(*with(init));
    EXPECT_EQ(s.rows, 1) << init;
    EXPECT_EQ(s.values, std::vector<double>(static_cast<size_t>(P), want)) << init;
  }
}

TEST_P(ModelStart, ArrayForAllOrForEach) {
  const int64_t P = spec_of(table_of(GetParam()))->parameters(kFeatures, kClasses);
  Start s = start_of(*with("\"" + npy({P}) + "\""));
  EXPECT_EQ(s.rows, 1);
  EXPECT_EQ(s.values, counting(P));
  s = start_of(*with("\"" + npy({1, P}) + "\""));  // the mean model of one replica
  EXPECT_EQ(s.rows, 1);
  EXPECT_EQ(s.values, counting(P));
  s = start_of(*with("\"" + npy({kWorkers, P}) + "\""));
  EXPECT_EQ(s.rows, kWorkers);
  EXPECT_EQ(s.values, counting(kWorkers * P));
}

TEST_P(ModelStart, ArraysOfAnotherShapeAreRefusedWithTheRightOnes) {
  const int64_t P = spec_of(table_of(GetParam()))->parameters(kFeatures, kClasses);
  const std::vector<std::vector<int64_t>> shapes{{P + 1}, {P - 1}, {kWorkers + 1, P}, {P, kWorkers}, {kWorkers * P}};
  for (const auto& shape : shapes) {
    const std::string path = npy(shape);
    const auto spec = with("\"" + path + "\"");
    const std::string message = complaint<ExperimentError>([&] { start_of(*spec); });
    EXPECT_NE(message.find("exp.toml"), std::string::npos) << message;
    EXPECT_NE(message.find("model.init: "), std::string::npos) << message;
    EXPECT_NE(message.find("give (" + std::to_string(P) + ")"), std::string::npos) << message;
    EXPECT_NE(message.find("(3," + std::to_string(P) + ")"), std::string::npos) << message;
  }
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{1, kWorkers, P}, std::vector<int64_t>{}}) {
    const std::string path = npy(shape);
    const std::string message = complaint<ExperimentError>([&] { with("\"" + path + "\""); });
    EXPECT_NE(message.find("model.init: "), std::string::npos) << message;
    EXPECT_NE(message.find("give (P) or (W,P)"), std::string::npos) << message;
  }
}

TEST_P(ModelStart, MistakesNameTheLine) {
  const std::string line = table_of(GetParam()).ends_with("\"\n") ? "exp.toml:3: " : "exp.toml:4: ";
  const auto refused = [&](const std::string& init, const std::string& part) {
    const std::string message = complaint<ExperimentError>([&] { with(init); });
    EXPECT_EQ(message.rfind(line + "model.init: ", 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  refused("\"nul\"", "\"nul\" is no start; give \"default\", \"zero\", a number, an array or a .npy file");
  refused("\".npy\"", "is no start");
  refused("true", "is true or false; give a string");
  refused("nan", "is not a finite number");
  refused("\"" + dir_.path("none.npy") + "\"", "cannot be read");
  test::write_text(dir_.path("text.npy"), "no numbers at all");
  refused("\"" + dir_.path("text.npy") + "\"", "is no .npy file");
}

// A start that is no number is no start, wherever it comes from.
TEST_P(ModelStart, ArraysMustBeFinite) {
  const int64_t P = spec_of(table_of(GetParam()))->parameters(kFeatures, kClasses);
  for (double bad : {std::nan(""), HUGE_VAL}) {
    auto values = counting(P);
    values.back() = bad;
    const std::string path = dir_.path("bad.npy");
    write_npy(path, {P}, values);
    EXPECT_THROW(start_of(*with("\"" + path + "\"")), ExperimentError) << bad;
  }
}

std::vector<std::string> kinds() {
  std::vector<std::string> out;
  for (const auto* entry : model_table()) out.push_back(entry->name);
  return out;
}
INSTANTIATE_TEST_SUITE_P(, ModelStart, testing::ValuesIn(kinds()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// Numbers in the file: (P) for all, (W,P) for each.
TEST(ModelStartArray, InTheFile) {
  const std::string table = "kind = \"factorization\"\n";
  Start s = start_of(*spec_of(table + "init = [2, 0.5]\n"));
  EXPECT_EQ(s.rows, 1);
  EXPECT_EQ(s.values, (std::vector<double>{2, 0.5}));
  s = start_of(*spec_of(table + "init = [[1, 2], [3, 4], [5, 6]]\n"));
  EXPECT_EQ(s.rows, kWorkers);
  EXPECT_EQ(s.values, (std::vector<double>{1, 2, 3, 4, 5, 6}));
  const auto refused = [&](const std::string& init, const std::string& part) {
    const std::string message =
        complaint<ExperimentError>([&] { start_of(*spec_of(table + "init = " + init + "\n")); });
    EXPECT_EQ(message.rfind("exp.toml:3: model.init: ", 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  refused("[1, 2, 3]", "has shape (3); give (2)");
  refused("[[1, 2], [3, 4]]", "has shape (2,2); give (2) for all workers or (3,2)");
  refused("[[1, 2], [3]]", "rows of 2 and 1 numbers");
  refused("[]", "");
  refused("[\"a\", 2]", "");
}

// ---- the constants of [model]
// --------------------------------------------------------------------------------------------

TEST(ModelTable, UnknownKindsAreAnsweredWithTheKnown) {
  const std::string message = complaint<ExperimentError>([] { spec_of("kind = \"sofmax\"\n"); });
  EXPECT_EQ(message.rfind("exp.toml:2: model.kind: unknown name \"sofmax\"; did you mean \"softmax\"? known: ", 0), 0u)
      << message;
  for (const auto* entry : model_table()) {
    EXPECT_NE(message.find(entry->name), std::string::npos) << message;
    EXPECT_FALSE(entry->what.empty()) << entry->name;
  }
}

TEST(SoftmaxSpec, Refuses) {
  EXPECT_EQ(complaint<ExperimentError>([] { spec_of("kind = \"softmax\"\nl2 = -0.1\n"); }),
            "exp.toml:3: model.l2: -0.1 is out of range; give a value that is at least 0");
  EXPECT_NE(complaint<ExperimentError>([] { spec_of("kind = \"softmax\"\nl3 = 1\n"); }).find("did you mean \"l2\"?"),
            std::string::npos);
}

// The standardised spread t_k, written out for three workers: fractional parts 0, phi - 1, 2 phi - 3.
TEST(NonconvexSpecs, OwnNumbersAreSpreadRegularly) {
  const auto gradient = [](const std::string& table, int64_t workers, int32_t worker) {
    const auto& ctx = test::context(Backend::cpu);
    ModelInputs in;
    in.workers = workers;
    const auto model = spec_of("kind = \"two-well\"\n" + table, workers)->bind(ctx, in, double{});
    const test::Rows rows(Backend::cpu, {{.worker = worker, .batch = 0}});
    const test::Matrix<double> w(Backend::cpu, 1, 1, std::vector<double>{0.25});
    test::Matrix<double> g(Backend::cpu, 1, 1, 1);
    model->gradients(ctx, rows.view(), rows.slot(), w.cview(), g.view());
    return g.host()[0];
  };
  const double t[3] = {0, 0.6180339887498949, 0.2360679774997898};
  const double mean = (t[0] + t[1] + t[2]) / 3;
  double square = 0;
  for (double v : t) square += (v - mean) * (v - mean) / 3;
  const double plain = gradient("", 3, 0);
  for (int32_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(gradient("tilt_spread = 2\ntilt = 0.5\n", 3, k) - plain, 0.5 + 2 * (t[k] - mean) / std::sqrt(square),
                1e-14);
    EXPECT_NEAR(gradient("tilt = [1, -2, 3]\n", 3, k) - plain, std::vector<double>({1, -2, 3})[static_cast<size_t>(k)],
                1e-14);
  }
  EXPECT_EQ(gradient("tilt_spread = 2\n", 1, 0), plain);  // one worker: nothing to spread
}

TEST(NonconvexSpecs, Refuse) {
  const auto refused = [](const std::string& table, const std::string& begins, const std::string& part) {
    const std::string message = complaint<ExperimentError>([&] { spec_of(table); });
    EXPECT_EQ(message.rfind(begins, 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  const std::string well = "kind = \"two-well\"\n", product = "kind = \"factorization\"\n";
  refused(well + "tilt = [1, 2]\n", "exp.toml:3: model.tilt: ", "2 numbers for 3 workers; give one for all or one per");
  refused(well + "noise = -1\n", "exp.toml:3: model.noise: ", "at least 0");
  refused(well + "wells = [1, -1]\n", "exp.toml:3: model.wells: ", "exchange them");
  refused(well + "wells = [-1, 0, 1]\n", "exp.toml:3: model.wells: ", "give two, one per well");
  refused(well + "steepness = [4, 0]\n", "exp.toml:3: model.steepness: ", "at least");
  refused(well + "inverse_temperature = 0\n", "exp.toml:3: model.inverse_temperature: ", "at least");
  refused(well + "tlt = 1\n", "exp.toml:3: model.tlt: ", "");
  refused(product + "target = [1, 2]\n", "exp.toml:3: model.target: ", "2 numbers for 3 workers");
  refused(product + "label_noise = -1\n", "exp.toml:3: model.label_noise: ", "at least 0");
}

std::string logistic(const std::string& rest) { return "kind = \"logistic\"\n" + rest; }

TEST(LogisticSpec, HasABiasUnlessToldOtherwise) {
  EXPECT_EQ(spec_of(logistic(""))->parameters(7, 2), 8);
  EXPECT_EQ(spec_of(logistic("bias = true\n"))->parameters(7, 2), 8);
  EXPECT_EQ(spec_of(logistic("bias = false\n"))->parameters(7, 2), 7);
  EXPECT_EQ(spec_of(logistic("positive = [0, 9]\n"))->parameters(7, 10), 8);
}

TEST(LogisticSpec, Refuses) {
  EXPECT_EQ(complaint<ExperimentError>([] { spec_of(logistic("l2 = -1\n")); }),
            "exp.toml:3: model.l2: -1 is out of range; give a value that is at least 0");
  const auto refused = [](const std::string& table, const std::string& begins, const std::string& part) {
    const std::string message = complaint<ExperimentError>([&] { spec_of(logistic(table)); });
    EXPECT_EQ(message.rfind(begins, 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  refused("bias = 1\n", "exp.toml:3: model.bias: ", "true or false");
  refused("positive = 1\n", "exp.toml:3: model.positive: ", "an array of integers");
  refused("positive = []\n", "exp.toml:3: model.positive: ", "empty");
  refused("positive = [-1]\n", "exp.toml:3: model.positive: ", "out of range");
  refused("positve = [1]\n", "exp.toml:3: model.positve: ", "did you mean \"positive\"?");
}

// What only the data set can tell: each way to a model says it, the plan's and the run's.
TEST(LogisticSpec, RefusesDataOfAnotherNumberOfClasses) {
  const auto refused = [](const std::string& table, int classes, const std::string& want) {
    const auto spec = spec_of(logistic(table));
    EXPECT_EQ(complaint<DataError>([&] { spec->parameters(7, classes); }), want);
    ModelInputs inputs;
    inputs.classes = classes;
    EXPECT_EQ(complaint<DataError>([&] { spec->bind(test::context(Backend::cpu), inputs, double{}); }), want);
  };
  refused(
      "", 10,
      "exp.toml:2: model.kind: logistic regression tells two classes apart and the data set has 10; list the labels "
      "that count as class 1 in model.positive, or use kind = \"softmax\"");
  refused(
      "", 1,
      "exp.toml:2: model.kind: logistic regression tells two classes apart and the data set has 1; choose a data set "
      "with two classes");
  refused("positive = [0, 10]\n", 10,
          "exp.toml:3: model.positive: label 10 is none of the 10 classes of the data set; give labels from 0 to 9");
  refused("positive = [0, 1]\n", 2,
          "exp.toml:3: model.positive: lists every class of the data set; leave at least one to count as class 0");
}

std::string quadratic(const std::string& rest) { return "kind = \"quadratic\"\n" + rest; }

TEST(QuadraticSpec, TakesItsDimensionFromItsConstants) {
  EXPECT_EQ(spec_of(quadratic("dimension = 7\n"))->parameters(1, 1), 7);
  EXPECT_EQ(spec_of(quadratic("curvature = [1, 2, 3]\n"))->parameters(1, 1), 3);
  EXPECT_EQ(spec_of(quadratic("center = [[1, 2], [3, 4], [5, 6]]\ncurvature = 3\n"))->parameters(1, 1), 2);
  EXPECT_EQ(spec_of(quadratic("center = [1, 2]\ndimension = 2\n"))->parameters(1, 1), 2);
  EXPECT_EQ(spec_of(quadratic("noise = [0, 1, 2, 3]\n"))->parameters(1, 1), 4);
}

// What theory reads of the noise: a number is the same in every coordinate.
TEST(QuadraticSpec, NoiseIsANumberOrDiffersByCoordinate) {
  test::TempDir dir;
  const std::string path = dir.path("s.npy");
  write_npy(path, {3}, std::vector<double>{0, 2, 0.5});
  for (const std::string& given : {std::string("[0, 2, 0.5]"), "\"" + path + "\""}) {
    const auto risk = *spec_of(quadratic("noise = " + given + "\n"))->quadratic_risk();
    EXPECT_EQ(risk.noise_sq, 4.25) << given;
    for (int64_t j = 0; j < 3; ++j) EXPECT_EQ(risk.noise(j), (std::vector<double>{0, 2, 0.5})[static_cast<size_t>(j)]);
  }
  const auto same = *spec_of(quadratic("noise = 3\ndimension = 4\n"))->quadratic_risk();
  EXPECT_EQ(same.noise_sq, 36);
  EXPECT_EQ(same.noise(3), 3);
}

// init = "normal": one start for the workers of a replica, another for each seed; mean 0 and variance 1 within 5 standard errors.
TEST(QuadraticSpec, NormalStartsAreStandardNormal) {
  const auto spec = spec_of(quadratic("dimension = 40000\ninit = \"normal\"\n"));
  const Start s = start_of(*spec, 7);
  EXPECT_EQ(s.rows, 1);
  ASSERT_EQ(s.values.size(), 40000u);
  double sum = 0, squares = 0;
  for (const double x : s.values) sum += x, squares += x * x;
  EXPECT_NEAR(sum / 40000, 0, 5 / std::sqrt(40000.0));
  EXPECT_NEAR(squares / 40000, 1, 5 * std::sqrt(2 / 40000.0));
  EXPECT_EQ(start_of(*spec, 7).values, s.values);
  EXPECT_NE(start_of(*spec, 8).values, s.values);
}

TEST(QuadraticSpec, Refuses) {
  const auto refused = [](const std::string& table, const std::string& begins, const std::string& part,
                          int64_t workers = kWorkers) {
    const std::string message = complaint<ExperimentError>([&] { spec_of(quadratic(table), workers); });
    EXPECT_EQ(message.rfind(begins, 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  refused("", "exp.toml:1: model.dimension: ", "is missing");
  refused("dimension = 0\n", "exp.toml:3: model.dimension: ", "out of range");
  refused("dimension = 2.5\n", "exp.toml:3: model.dimension: ", "give an integer");
  refused("curvature = -1\ndimension = 2\n", "exp.toml:3: model.curvature: ", "out of range");
  refused("curvature = [1, -1]\n", "exp.toml:3: model.curvature: ", "out of range");
  refused("curvature = [[1, 2], [3]]\n", "exp.toml:3: model.curvature: ", "the same number");
  refused("curvature = [[]]\n", "exp.toml:3: model.curvature: ", "");
  refused("curvature = [1, 2]\ncenter = [1, 2, 3]\n", "exp.toml:4: model.center: ", "3 columns, curvature 2");
  refused("curvature = [1, 2]\ndimension = 3\n", "exp.toml:4: model.dimension: ", "3 differs from the 2 columns");
  refused("noise = -1\ndimension = 2\n", "exp.toml:3: model.noise: ", "out of range");
  refused("noise = [1, -1]\n", "exp.toml:3: model.noise: ", "out of range");
  refused("noise = []\n", "exp.toml:3: model.noise: ", "");
  refused("noise = [[1, 2], [1, 2], [1, 2]]\n",
          "exp.toml:3: model.noise: ", "has a row per worker; give a number or one row for all workers");
  refused("curvature = [1, 2]\nnoise = [1, 2, 3]\n",
          "exp.toml:4: model.noise: ", "has 3 columns, curvature and center 2; give the same dimension");
  refused("noise = [1, 2]\ndimension = 3\n", "exp.toml:4: model.dimension: ", "3 differs from the 2 columns");
  refused("center = [[1], [2], [3]]\n", "exp.toml:3: model.center: ", "3 rows for 4 workers", 4);
  refused("curvature = [[1], [2]]\n", "exp.toml:3: model.curvature: ", "2 rows for 3 workers");
}

// a and c from files are what they are from the experiment.
TEST(QuadraticSpec, ReadsConstantsFromFiles) {
  test::TempDir dir;
  const std::string path = dir.path("c.npy");
  const auto gradient_of = [](const ModelSpec& spec) {
    ModelInputs inputs;
    inputs.workers = inputs.rows = kWorkers;
    const auto model = spec.bind(test::context(Backend::cpu), inputs, double{});
    std::vector<test::RowSpec> specs;
    for (int32_t w = 0; w < kWorkers; ++w) specs.push_back({.worker = w, .batch = 1});
    const test::Rows rows(Backend::cpu, specs);
    test::Matrix<double> x(Backend::cpu, kWorkers, 2, 1), g(Backend::cpu, kWorkers, 2, 2);
    model->gradients(test::context(Backend::cpu), rows.view(), rows.slot(), x.view(), g.view());
    return g.host();
  };
  write_npy(path, {3, 2}, std::vector<double>{1, 2, 3, 4, 5, 6});
  EXPECT_EQ(gradient_of(*spec_of(quadratic("curvature = 2\ncenter = \"" + path + "\"\n"))),
            gradient_of(*spec_of(quadratic("curvature = 2\ncenter = [[1, 2], [3, 4], [5, 6]]\n"))));
  EXPECT_EQ(gradient_of(*spec_of(quadratic("center = 2\ncurvature = \"" + path + "\"\n"))),
            gradient_of(*spec_of(quadratic("center = 2\ncurvature = [[1, 2], [3, 4], [5, 6]]\n"))));
  write_npy(path, {2}, std::vector<double>{1, 2});
  EXPECT_EQ(gradient_of(*spec_of(quadratic("center = \"" + path + "\"\n"))),
            gradient_of(*spec_of(quadratic("center = [1, 2]\n"))));
  EXPECT_NE(gradient_of(*spec_of(quadratic("noise = \"" + path + "\"\n"))),
            gradient_of(*spec_of(quadratic("dimension = 2\n"))));
  EXPECT_EQ(gradient_of(*spec_of(quadratic("noise = \"" + path + "\"\n"))),
            gradient_of(*spec_of(quadratic("noise = [1, 2]\n"))));

  const auto refused = [&](const std::string& key, const std::string& part) {
    const std::string message = complaint<ExperimentError>([&] { spec_of(quadratic(key + " = \"" + path + "\"\n")); });
    EXPECT_EQ(message.rfind("exp.toml:3: model." + key + ": ", 0), 0u) << message;
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  write_npy(path, {2, 2}, std::vector<double>{1, 2, 3, 4});
  refused("center", "2 rows for 3 workers");
  write_npy(path, {2}, std::vector<double>{1, -2});
  refused("curvature", "holds -2; every value must be finite and at least 0");
  write_npy(path, {2}, std::vector<double>{1, std::nan("")});
  refused("center", "holds nan");
  write_npy(path, {1, 1, 2}, std::vector<double>{1, 2});
  refused("center", "neither shape (P) nor (W,P)");
  write_npy(path, {3, 2}, std::vector<double>{1, 2, 3, 4, 5, 6});
  refused("noise", "has a row per worker");
  write_npy(path, {2}, std::vector<double>{1, -2});
  refused("noise", "holds -2; every value must be finite and at least 0");
  test::write_text(path, "text");
  refused("center", "is no .npy file");
}

// Constants from a file must be finite, as those of the experiment must.
TEST(QuadraticSpec, ConstantsOfFilesMustBeFinite) {
  test::TempDir dir;
  const std::string path = dir.path("c.npy");
  write_npy(path, {2}, std::vector<double>{1, HUGE_VAL});
  for (const char* key : {"center", "curvature"})
    EXPECT_THROW(spec_of(quadratic(std::string(key) + " = \"" + path + "\"\n")), ExperimentError) << key;
}

// A file of no columns is no dimension.
TEST(QuadraticSpec, EmptyFilesAreRefused) {
  test::TempDir dir;
  const std::string path = dir.path("c.npy");
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{0}, {3, 0}, {0, 2}}) {
    write_npy(path, shape, std::vector<double>());
    EXPECT_THROW(spec_of(quadratic("dimension = 2\ncenter = \"" + path + "\"\n")), ExperimentError)
        << testing::PrintToString(shape);
  }
}

}  // namespace
}  // namespace orrery
