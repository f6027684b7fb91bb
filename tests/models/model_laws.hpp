// What the laws of every registered model need: tables to test each kind with, three workers of unequal size, central differences.
// A new model needs one line in `tables_of` here.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/model.hpp"
#include "tests/support.hpp"

namespace orrery::test {

inline constexpr int64_t kFeatures = 4, kWorkers = 3;
inline constexpr int kClasses = 3;
inline constexpr int32_t kSizes[kWorkers] = {5, 70, 1};  // samples of each worker
inline constexpr int64_t kSamples = 76;

// [model] tables to test each kind with.
inline std::vector<std::string> tables_of(const std::string& kind) {
  static const std::map<std::string, std::vector<std::string>> tables{
      {"quadratic",
       {"dimension = 5\ncurvature = 2\ncenter = -1.5\nnoise = 0.7",
        "curvature = [[1, 0.5, 3], [2, 2, 0], [0.1, 4, 1]]\ncenter = [0.3, -1, 2]\nnoise = [0.2, 0, 1.5]",
        "curvature = [3, 0.25]\ncenter = [[1, 2], [-3, 0], [0.5, 0.5]]"}},
      {"two-well",
       {"tilt_spread = 0.5\nnoise = 2",
        "wells = [-0.6, 0.7]\nsteepness = [1, 2]\ninverse_temperature = 2\ntilt = [0.3, -0.2, 0.1]"}},
      {"factorization", {"label_noise = 0.7", "target = [1.5, -0.5, 1]\ntarget_spread = 0.25"}},
      {"softmax", {"l2 = 0", "l2 = 0.15"}},
      {"mlp", {"hidden = [4, 3]\nactivation = \"tanh\"", "hidden = [4, 3]\nactivation = \"tanh\"\nl2 = 0.15"}},
      {"logistic", {"positive = [1]", "positive = [0, 2]\nl2 = 0.15\nbias = false"}}};
  const auto found = tables.find(kind);
  return found == tables.end() ? std::vector<std::string>() : found->second;
}

inline std::vector<RowSpec> worker_rows(int32_t batch, double rate) {
  std::vector<RowSpec> rows;
  int32_t first = 0;
  for (int32_t w = 0; w < kWorkers; ++w) {
    rows.push_back({.seed = 6,
                    .worker = w,
                    .learning_rate = 0.05 + 0.02 * w,
                    .rate = rate,
                    .batch = w == 1 && batch > 0 ? batch + 2 : batch,
                    .samples = range_of(first, kSizes[w])});
    first += kSizes[w];
  }
  return rows;
}

// A model bound to three workers of unequal size. Rows 0..2 of the sample weights are the workers alone, row 3 is all
// of them.
template <class T>
struct ModelBench {
  static constexpr double a[kWorkers] = {0.2, 0.5, 0.3};
  Backend b;
  Samples train;
  Matrix<double> weights;
  std::unique_ptr<ModelSpec> spec;
  ModelInputs inputs;
  std::unique_ptr<Model<T>> model;
  std::vector<Objective> objectives;
  int64_t P;

  ModelBench(Backend where, const std::string& kind, const std::string& table, Storage storage = Storage::floats)
      : b(where),
        train(where, kSamples, kFeatures, kClasses, storage, 3, 0.8, storage == Storage::sparse ? 0 : 0.1),
        weights(where, 4, kSamples, sample_weights()) {
    Params p = Params::from_text("[model]\nkind = \"" + kind + "\"\n" + table + "\n", "exp.toml");
    Params m = p.table("model");
    spec = make_model(m, kWorkers);
    p.require_all_read();
    inputs = {.train = train.view(),
              .test = train.view(),
              .sample_weights = weights.cview(),
              .classes = kClasses,
              .workers = kWorkers,
              .rows = kWorkers,
              .max_batch = 6};
    model = spec->bind(context(b), inputs, T{});
    P = model->parameters();
    for (int64_t i = 0; i < kWorkers; ++i) {
      Objective alone{std::vector<double>(kWorkers), i};
      alone.worker_weights[static_cast<size_t>(i)] = 1;
      objectives.push_back(alone);
    }
    objectives.push_back({{a[0], a[1], a[2]}, 3});
  }

  static std::vector<double> sample_weights() {
    std::vector<double> u(4 * kSamples);
    size_t s = 0;
    for (size_t w = 0; w < kWorkers; ++w)
      for (int32_t k = 0; k < kSizes[w]; ++k, ++s) {
        u[w * kSamples + s] = 1.0 / kSizes[w];
        u[3 * kSamples + s] = a[w] / kSizes[w];
      }
    return u;
  }
  double largest_feature() const {
    double largest = 1;
    for (int64_t s = 0; s < kSamples; ++s)
      for (int64_t j = 0; j < kFeatures; ++j) largest = std::max(largest, std::abs(train.x(s, j)));
    return largest;
  }
  double f(const std::vector<T>& w, const Objective& o) const {
    return model->objective(context(b), Matrix<T>(b, 1, P, w).view(), {&o})[0];
  }
  // Central differences of `o` at w, and how far they may be off. Truncation: h^2 / 6 times the third derivative, for
  // softmax and logistic below 0.1 |x|^3 (p (1-p) (1-2p) < 0.097), for a quadratic and along one factor 0; for an MLP and two wells it is what the step twice as
  // wide changes (three times as much). Rounding: f adds fewer than n + d + C + P + 20 terms of the sizes below.
  std::pair<std::vector<double>, double> differences(const std::vector<T>& w, const Objective& o) const {
    auto [near, allowed] = differences(w, o, 1e-4);
    if (spec->kind() == "mlp" || spec->kind() == "two-well") {
      const auto wide = differences(w, o, 2e-4).first;
      double change = 0;
      for (size_t j = 0; j < near.size(); ++j) change = std::max(change, std::abs(near[j] - wide[j]));
      allowed += change;
    }
    return {near, allowed};
  }
  std::pair<std::vector<double>, double> differences(const std::vector<T>& w, const Objective& o, double h) const {
    const double x = largest_feature();
    std::vector<T> points;
    for (int64_t j = 0; j < P; ++j)
      for (double sign : {1.0, -1.0}) {
        points.insert(points.end(), w.begin(), w.end());
        points[points.size() - static_cast<size_t>(P - j)] += static_cast<T>(sign * h);
      }
    const std::vector<const Objective*> same(static_cast<size_t>(2 * P), &o);
    const auto values = model->objective(context(b), Matrix<T>(b, 2 * P, P, points).view(), same);
    std::vector<double> out;
    double size = 1;
    for (T v : w) size += std::abs(static_cast<double>(v)) * x;
    for (size_t j = 0; j < static_cast<size_t>(P); ++j) {
      const double up = static_cast<double>(points[2 * j * static_cast<size_t>(P) + j]);
      const double down = static_cast<double>(points[(2 * j + 1) * static_cast<size_t>(P) + j]);
      out.push_back((values[2 * j] - values[2 * j + 1]) / (up - down));
      size = std::max(size, values[2 * j]);
    }
    const double roundings = static_cast<double>(kSamples + kFeatures + kClasses + P + 20);
    return {out, h * h / 6 * 0.1 * x * x * x + roundings * unit<double> * size / h};
  }
};

// Every registered kind with each of its tables.
template <class F>
void for_each_model(F&& f) {
  ASSERT_FALSE(model_table().empty());
  for (const auto* entry : model_table()) {
    const auto tables = tables_of(entry->name);
    EXPECT_FALSE(tables.empty()) << "no case for the model " << entry->name << "; add one to tables_of";
    for (const auto& table : tables) {
      SCOPED_TRACE(entry->name + ": " + table);
      f(entry->name, table);
    }
  }
}

}  // namespace orrery::test
