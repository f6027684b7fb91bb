// [record.landscape]: the objective along filter-normalised directions around the final model.
#include "runtime/landscape.hpp"

#include <map>

#include "tests/laws/run_helpers.hpp"

namespace orrery {
namespace {

using test::Trial;
using Numbers = std::vector<double>;

double norm(const Numbers& x, size_t first, size_t count, size_t stride = 1) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += x[first + i * stride] * x[first + i * stride];
  return std::sqrt(sum);
}

// Every filter's piece is as long as the filter; biases stand still; a tensor without filters is scaled as a whole.
TEST(Direction, IsAsLongAsTheModelFilterByFilter) {
  using F = Tensor::Filters;
  const std::vector<Tensor> layout{
      {"columns", 0, {3, 2}, F::columns}, {"bias", 6, {2}, F::none}, {"rows", 8, {2, 4}, F::rows}, {"whole", 16, {5}}};
  Numbers u;
  for (int i = 0; i < 21; ++i) u.push_back(0.3 * (i % 5) - 0.4);
  for (size_t i = 0; i < 3; ++i) u[1 + 2 * i] = 0;  // a filter of zeros has no scale: it stays
  const auto d = filter_normalised_direction(layout, u, 7, 0);
  EXPECT_NEAR(norm(d, 0, 3, 2), norm(u, 0, 3, 2), 1e-14);
  EXPECT_EQ(norm(d, 1, 3, 2), 0);
  EXPECT_EQ(norm(d, 6, 2), 0);
  EXPECT_NEAR(norm(d, 8, 4), norm(u, 8, 4), 1e-14);
  EXPECT_NEAR(norm(d, 12, 4), norm(u, 12, 4), 1e-14);
  EXPECT_NEAR(norm(d, 16, 5), norm(u, 16, 5), 1e-14);
  EXPECT_NE(filter_normalised_direction(layout, u, 7, 1), d);
  EXPECT_EQ(filter_normalised_direction(layout, u, 7, 0), d);
}

class Landscape : public test::OnEachCase {};
ORRERY_ON_CASES(Landscape, {"quadratic", "softmax"}, {"fp64", "fp32"});

// At alpha = 0 it is the training loss that the run ends with; a quadratic's curve is the parabola through its values; the file has every point.
TEST_P(Landscape, GoesThroughTheTrainingLoss) {
  Trial s = trial(4).with_steps(6);
  s.replicas = 2;
  s.metrics = "\"train_loss\"";
  s.arms =
      "[record.landscape]\ndirections = 2\npoints = 5\nradius = 0.5\n[[arm]]\nname = \"a, b\"\n[[arm]]\nname = "
      "\"slow\"\nalgorithm.learning_rate = 0.001\n";
  const Experiment e = parse_experiment(s.text(), "trial.toml", device());
  const RunResult r = run(e);
  for (const ArmResult& arm : r.arms) {
    ASSERT_EQ(arm.landscape.size(), 2u * 2 * 5);
    for (size_t line = 0; line < 4; ++line) {
      const LandscapePoint* p = &arm.landscape[line * 5];
      EXPECT_EQ(p[0].alpha, -0.5);
      EXPECT_EQ(p[2].alpha, 0);
      EXPECT_EQ(p[4].alpha, 0.5);
      const double loss = arm.values[0][static_cast<size_t>(p->replica)].back();
      EXPECT_NEAR(p[2].train_loss, loss, 20 * tolerance() * loss);
      if (softmax()) continue;
      const double curvature = p[4].train_loss + p[0].train_loss - 2 * p[2].train_loss;
      EXPECT_GT(curvature, 0);
      EXPECT_NEAR(p[3].train_loss + p[1].train_loss - 2 * p[2].train_loss, curvature / 4, 100 * tolerance() * loss);
    }
  }
  const std::string csv = landscape_csv(e, r);
  EXPECT_TRUE(csv.starts_with("arm,replica,direction,alpha,train_loss\n\"a, b\",0,0,-0.5,")) << csv.substr(0, 80);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 2 * 2 * 5);
}

// Around a model of zeros there is no length to scale by: the curve is flat and a notice says why.
TEST_P(Landscape, OfZerosIsFlatAndSaid) {
  Trial s = trial(4).with_steps(0);
  s.init = softmax() ? "\"zero\"" : "0.0";
  s.metrics = "\"train_loss\"";
  s.arms = "[record.landscape]\npoints = 3\n";
  const auto flat = [&](const Trial& of) {
    const auto notices = result(of).notices;
    return std::any_of(notices.begin(), notices.end(),
                       [](const auto& n) { return n.find("flat") != std::string::npos; });
  };
  EXPECT_TRUE(flat(s));
  EXPECT_FALSE(flat(s.with_steps(3)));
}

}  // namespace
}  // namespace orrery
