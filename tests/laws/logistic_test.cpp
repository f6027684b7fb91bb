// Logistic regression in whole runs: from LIBSVM text to the report's numbers, against the two-class softmax and against its own mirror image.
#include "tests/datasets/files.hpp"
#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

class LogisticRuns : public test::OnEachCase {
 protected:
  RunResult with(const std::string& model, const std::string& data, double learning_rate) const {
    return run_text(fmt::format(
        "seed = 3\nsteps = 24\nprecision = \"{}\"\n[network]\nworkers = 6\nrates = [1, 0.7]\n"
        "tiers = [{{ name = \"hub\", nodes = 2, period = 3 }}, {{ name = \"cloud\", nodes = 1, period = 6 }}]\n"
        "[algorithm]\nkind = \"h-sgd\"\nlearning_rate = {:.17e}\nbatch = 4\n"
        "[record]\nevery = 6\nparams = true\nmetrics = [\"train_loss\", \"test_loss\", \"test_accuracy\", "
        "\"grad_norm_sq\"]\n"
        "[partition]\nkind = \"iid\"\n[model]\n{}\n[data]\n{}\n",
        GetParam().precision, learning_rate, model, data));
  }
};
ORRERY_ON_CASES(LogisticRuns, {"logistic"}, {"fp64", "fp32"});

// 90 training and 40 test samples of 12 features, about a third of them stored; every seventh sample is empty.
void write_samples(const test::TempDir& dir) {
  for (const auto& [name, n] : {std::pair{"train.svm", 90}, std::pair{"test.svm", 40}}) {
    const Stream s(n, Draw::initial, 0, 0);
    std::string text;
    for (uint32_t i = 0, at = 0; i < static_cast<uint32_t>(n); ++i) {
      std::string line;
      double lean = 0;
      for (int j = 1; j <= 12; ++j, ++at) {
        if (i % 7 == 3 || s.bits(2 * at) % 3 != 0) continue;
        const double value = s.uniform(2 * at + 1) * 4 - 2;
        line += fmt::format(" {}:{:.4f}", j, value);
        lean += j % 2 ? value : -value;
      }
      text += (lean + 0.3 > 0 ? "+1" : "-1") + line + "\n";
    }
    test::write_text(dir.path(name), text);
  }
}

// softmax(V x + b) of two classes is sigmoid(z) with w = V_1 - V_0; a step moves V_1 and V_0 by the same in opposite directions, so that w
// moves twice as far: softmax at half the learning rate, on the same draws, is logistic regression.
TEST_P(LogisticRuns, TwoClassSoftmaxAtHalfTheRateIsLogistic) {
  const test::TempDir dir;
  write_samples(dir);
  const std::string data =
      fmt::format("name = \"libsvm\"\npath = \"{}\"\ntrain = \"train.svm\"\ntest = \"test.svm\"", dir.path("."));
  const RunResult logistic = with("kind = \"logistic\"", data, 0.4), softmax = with("kind = \"softmax\"", data, 0.2);
  ASSERT_EQ(logistic.parameters, 13);
  ASSERT_EQ(softmax.parameters, 26);
  const auto w = test::models(logistic.arms[0]), v = test::models(softmax.arms[0]);
  std::vector<double> apart;
  for (size_t r = 0; r < 6; ++r) {
    for (size_t j = 0; j < 12; ++j) apart.push_back(v[26 * r + 12 + j] - v[26 * r + j]);
    apart.push_back(v[26 * r + 25] - v[26 * r + 24]);
  }
  EXPECT_LE(test::difference(w, apart), tolerance());

  // the same losses and hits at every record point, and less loss in the end than log 2
  const auto &a = logistic.arms[0].values, &b = softmax.arms[0].values;
  ASSERT_EQ(logistic.record_steps.size(), 5u);
  for (size_t i = 0; i < 5; ++i) {
    for (size_t m : {0u, 1u}) EXPECT_NEAR(a[m][0][i], b[m][0][i], tolerance()) << i;
    if (i > 0) {
      EXPECT_NEAR(a[2][0][i], b[2][0][i], 1e-9) << i;  // at 0 all logits are alike
    }
    EXPECT_NEAR(2 * a[3][0][i], b[3][0][i], tolerance()) << i;  // of (-g, g)
  }
  EXPECT_LT(a[0][0].back(), 0.9 * std::log(2.0));
  EXPECT_GT(a[2][0].back(), 0.6);
}

// Which side is called 1 does not matter: with the labels' roles exchanged every parameter changes its sign, bit for bit.
TEST_P(LogisticRuns, ExchangedLabelsChangeTheSign) {
  const std::string data = "name = \"glyphs\"\ntrain = 200\ntest = 50";
  const RunResult ones = with("kind = \"logistic\"\nl2 = 0.01\npositive = [0, 1, 2, 3, 4]", data, 0.1),
                  others = with("kind = \"logistic\"\nl2 = 0.01\npositive = [5, 6, 7, 8, 9]", data, 0.1);
  const auto w = test::models(ones.arms[0]);
  auto mirrored = test::models(others.arms[0]);
  for (double& x : mirrored) x = 0 - x;
  EXPECT_GT(test::largest(w), 0.01);
  EXPECT_EQ(w, mirrored);
}

}  // namespace
}  // namespace orrery
