#include "kernels/group_mean.hpp"

#include <numeric>

#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class GroupMean : public test::OnEachBackend {};

// Groups of rows drawn from a shuffled order, so that the members of a group neither adjoin nor ascend.
struct Groups {
  std::vector<std::vector<int64_t>> members;
  std::vector<std::vector<double>> weights;
  int64_t rows = 0;  // of x; some are in no group

  Groups(const std::vector<int64_t>& sizes, bool ones) {
    for (int64_t n : sizes) rows += n;
    rows += 3;
    std::vector<int64_t> order(static_cast<size_t>(rows));
    std::iota(order.begin(), order.end(), 0);
    const Stream s(3, Draw::grouping, 0, 0);
    for (int64_t i = rows - 1; i > 0; --i)
      std::swap(order[static_cast<size_t>(i)], order[s.below(static_cast<uint32_t>(i), static_cast<uint32_t>(i + 1))]);
    auto next = order.begin();
    for (int64_t n : sizes) {
      members.emplace_back(next, next + n);
      next += n;
      weights.emplace_back();
      for (int64_t m : members.back())
        weights.back().push_back(ones ? 1.0 : 0.01 + s.uniform(1000 + static_cast<uint32_t>(m)));
    }
  }
  size_t count() const { return members.size(); }
};

// The groups `which`, in that order, on the backend's side.
struct Table {
  std::vector<int64_t> begin{0}, member;
  std::vector<double> weight;
  Buffer<int64_t> begins, members;
  Buffer<double> weights;
  GroupTable view;

  Table(Backend b, const Groups& g, const std::vector<size_t>& which) {
    for (size_t k : which) {
      member.insert(member.end(), g.members[k].begin(), g.members[k].end());
      weight.insert(weight.end(), g.weights[k].begin(), g.weights[k].end());
      begin.push_back(static_cast<int64_t>(member.size()));
      view.largest = std::max(view.largest, static_cast<int64_t>(g.members[k].size()));
    }
    view.nodes = static_cast<int64_t>(which.size());
    view.begin = (begins = {test::context(b), begin}).view();
    view.member = (members = {test::context(b), member}).view();
    view.weight = (weights = {test::context(b), weight}).view();
  }
};

const std::vector<int64_t> kSizes{1, 31, 32, 33, 300};
const std::vector<size_t> kAll{0, 1, 2, 3, 4};

double formula(const Groups& g, size_t k, auto&& x, double* size) {
  double sum = 0;
  *size = 0;
  for (size_t m = 0; m < g.members[k].size(); ++m) {
    const double term = g.weights[k][m] * x(g.members[k][m]);
    sum += term;
    *size += std::abs(term);
  }
  return sum;
}

// v and the product 2 roundings, at most 31 sums within a block (and onto 0), one per block.
template <class T>
double tolerance(size_t members, double size) {
  const auto n = static_cast<int64_t>(members);
  return static_cast<double>(2 + std::min<int64_t>(n, 32) + (n + 31) / 32) * test::unit<T> * size;
}

TEST_P(GroupMean, MeanAndAverageMatchTheFormulaInFloat64) {
  const Backend b = GetParam();
  const Groups g(kSizes, false);
  test::for_float_and_double([&]<class T>() {
    const Table table(b, g, kAll);
    for (int64_t P : {1, 33, 1030}) {  // below and past a warp's columns, past the CPU's strips
      Matrix<T> x(b, g.rows, P, 1, P + 2), averaged(b, g.rows, P, 1), means(b, 5, P, 2, P + 1);
      group_mean<T>(ctx(), table.view, x.view(), means.view());
      group_average<T>(ctx(), table.view, averaged.view());
      const auto mean = means.host(), average = averaged.host();
      test::Near near_mean("mean"), near_average("average");
      std::vector<bool> grouped(static_cast<size_t>(g.rows));
      for (size_t k = 0; k < g.count(); ++k)
        for (int64_t j = 0; j < P; ++j) {
          double size = 0;
          const double want = formula(
              g, k, [&](int64_t i) { return x.initial(i, j); }, &size);
          const double allowed = tolerance<T>(g.members[k].size(), size);
          near_mean(mean[k * static_cast<size_t>(P) + static_cast<size_t>(j)], want, allowed, static_cast<int64_t>(k),
                    j);
          for (int64_t i : g.members[k]) {
            near_average(average[static_cast<size_t>(i * P + j)], want, allowed, i, j);
            grouped[static_cast<size_t>(i)] = true;
          }
        }
      for (int64_t i = 0; i < g.rows * P; ++i)  // rows of no group keep their bits
        if (!grouped[static_cast<size_t>(i / P)]) {
          ASSERT_EQ(average[static_cast<size_t>(i)], averaged.dense()[static_cast<size_t>(i)]);
        }
      EXPECT_EQ(x.host(), x.dense());
    }
  });
}

// The order that the header promises, bit for bit: with weights of 1 no product is rounded, fused or not.
TEST_P(GroupMean, AddsBlocksOf32InOrder) {
  const Backend b = GetParam();
  const Groups g(kSizes, true);
  test::for_float_and_double([&]<class T>() {
    const int64_t P = 40;
    const Table table(b, g, kAll);
    Matrix<T> x(b, g.rows, P, 1), means(b, 5, P, 2);
    group_mean<T>(ctx(), table.view, x.view(), means.view());
    group_average<T>(ctx(), table.view, x.view());
    std::vector<T> want(static_cast<size_t>(5 * P)), spread = x.dense();
    for (size_t k = 0; k < 5; ++k)
      for (int64_t j = 0; j < P; ++j) {
        T total{0};
        for (size_t first = 0; first < g.members[k].size(); first += 32) {
          T block{0};
          for (size_t m = first; m < std::min(first + 32, g.members[k].size()); ++m)
            block += x.dense()[static_cast<size_t>(g.members[k][m] * P + j)];
          total += block;
        }
        want[k * static_cast<size_t>(P) + static_cast<size_t>(j)] = total;
        for (int64_t i : g.members[k]) spread[static_cast<size_t>(i * P + j)] = total;
      }
    test::expect_same_bits(means.host(), want, "mean");
    test::expect_same_bits(x.host(), spread, "average");
  });
}

// A group alone, among others in any order, and with any number of threads: the same bits.
TEST_P(GroupMean, DependsOnTheGroupAlone) {
  const Backend b = GetParam();
  const Groups g(kSizes, false);
  test::for_float_and_double([&]<class T>() {
    const int64_t P = 700;  // enough for several threads
    const auto run = [&](const std::vector<size_t>& which) {
      const Table table(b, g, which);
      Matrix<T> x(b, g.rows, P, 1), means(b, table.view.nodes, P, 2);
      group_mean<T>(ctx(), table.view, x.view(), means.view());
      group_average<T>(ctx(), table.view, x.view());
      auto out = means.host();
      const auto averaged = x.host();
      for (size_t n = 0; n < which.size(); ++n)  // every member holds its group's mean
        for (int64_t i : g.members[which[n]])
          for (int64_t j = 0; j < P; ++j)
            EXPECT_EQ(averaged[static_cast<size_t>(i * P + j)],
                      averaged[static_cast<size_t>(g.members[which[n]][0] * P + j)]);
      for (size_t k : which)
        for (int64_t j = 0; j < P; ++j) out.push_back(averaged[static_cast<size_t>(g.members[k][0] * P + j)]);
      return out;
    };
    test::expect_same_bits_for_any_threads([&] { return run(kAll); });
    const auto all = run(kAll);
    const auto slice = [&](const std::vector<T>& v, int64_t row) {
      return std::vector<T>(v.begin() + row * P, v.begin() + (row + 1) * P);
    };
    const auto turned = run({4, 2, 0, 3, 1});
    const int64_t place[] = {2, 4, 1, 3, 0};  // of group k among the turned
    for (int64_t k = 0; k < 5; ++k)
      for (int64_t which : {0, 1}) {  // means, averages
        const auto want = slice(all, 5 * which + k);
        test::expect_same_bits(slice(run({static_cast<size_t>(k)}), which), want, "alone and among others");
        test::expect_same_bits(slice(turned, 5 * which + place[k]), want, "in another order");
      }
  });
}

// Node k's column of H: itself alone; itself and others, of either sign; nothing at all.
struct Mix {
  std::vector<std::vector<std::pair<int64_t, double>>> columns{{{0, 1.0}},
                                                               {{1, 0.25}, {0, 0.5}, {4, 0.25}},
                                                               {},
                                                               {{4, -0.3}, {3, 1.7}},
                                                               {{0, 0.1}, {1, 0.2}, {2, 0.3}, {3, 0.15}, {4, 0.25}}};
  Buffer<int64_t> begins, sources;
  Buffer<double> weights;
  MixTable view;

  explicit Mix(Backend b) {
    std::vector<int64_t> begin{0}, source;
    std::vector<double> weight;
    for (const auto& column : columns) {
      for (auto [s, h] : column) source.push_back(s), weight.push_back(h);
      begin.push_back(static_cast<int64_t>(source.size()));
    }
    view.begin = (begins = {test::context(b), begin}).view();
    view.source = (sources = {test::context(b), source}).view();
    view.weight = (weights = {test::context(b), weight}).view();
  }
};

// Tolerance: h and the product 2 roundings, one sum per source.
TEST_P(GroupMean, MixMatchesTheFormulaInFloat64) {
  const Backend b = GetParam();
  const Groups g(kSizes, false);
  test::for_float_and_double([&]<class T>() {
    const Table table(b, g, kAll);
    const Mix mix(b);
    for (int64_t P : {1, 257, 1030}) {
      const auto run = [&] {
        Matrix<T> x(b, g.rows, P, 1, P + 3), means(b, 5, P, 2);
        group_mix<T>(ctx(), table.view, mix.view, means.view(), x.view());
        EXPECT_EQ(means.host(), means.dense());
        return x.host();
      };
      const Matrix<T> x(b, g.rows, P, 1), means(b, 5, P, 2);
      const auto got = run();
      test::Near near("x");
      std::vector<bool> grouped(static_cast<size_t>(g.rows));
      for (size_t k = 0; k < 5; ++k)
        for (int64_t j = 0; j < P; ++j) {
          double want = 0, size = 0;
          for (auto [s, h] : mix.columns[k]) want += h * means.initial(s, j), size += std::abs(h * means.initial(s, j));
          const double allowed = static_cast<double>(2 + mix.columns[k].size()) * test::unit<T> * size;
          for (int64_t i : g.members[k]) {
            near(got[static_cast<size_t>(i * P + j)], want, allowed, i, j);
            grouped[static_cast<size_t>(i)] = true;
          }
        }
      for (int64_t i = 0; i < g.rows * P; ++i)
        if (!grouped[static_cast<size_t>(i / P)]) {
          ASSERT_EQ(got[static_cast<size_t>(i)], x.dense()[static_cast<size_t>(i)]);
        }
      test::expect_same_bits_for_any_threads(run);
    }
  });
}

// Exact: the rows of the groups become zero, all others keep their bits.
TEST_P(GroupMean, ClearsTheRowsOfItsGroups) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (int64_t P : {int64_t{1}, int64_t{257}}) {
      const Groups g({3, 40, 1}, false);
      const Table table(b, g, {0, 2});
      Matrix<T> x(b, g.rows, P, 1, P + 2);
      group_clear<T>(ctx(), table.view, x.view());
      std::vector<T> want = x.dense();
      for (size_t k : {size_t{0}, size_t{2}})
        for (int64_t r : g.members[k]) std::fill_n(want.begin() + r * P, P, T{0});
      EXPECT_EQ(x.host(), want);
    }
  });
}

TEST_P(GroupMean, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Groups g({2, 3}, false);
  const Table table(b, g, {0, 1});
  Matrix<float> x(b, g.rows, 4, 1), few(b, 1, 4, 2), wide(b, 2, 5, 3), means(b, 2, 4, 4);
  EXPECT_THROW(group_mean<float>(ctx(), table.view, x.view(), few.view()), std::logic_error);
  EXPECT_THROW(group_mean<float>(ctx(), table.view, x.view(), wide.view()), std::logic_error);
  EXPECT_THROW(group_mix<float>(ctx(), table.view, Mix(b).view, means.view(), x.view()), std::logic_error);
  GroupTable broken = table.view;
  broken.nodes = 1;
  EXPECT_THROW(group_average<float>(ctx(), broken, x.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(GroupMean);

}  // namespace
}  // namespace orrery
