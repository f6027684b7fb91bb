// What the workers send, and servers that average (signsgd-fv.md 3.7, 6.2, 7): whole runs against the rules written out in float64.
#include <numeric>

#include "tests/laws/vote_paths.hpp"

namespace orrery {
namespace {

using test::Numbers;
using test::NumbersOfAll;
using test::Trial;

class VoteMessages : public test::OnEachCase {
 protected:
  Trial voting(const std::string& keys, int64_t workers = 5, int64_t steps = 16, int64_t parameters = 12) const {
    Trial s = test::voting_trial(trial(workers), keys, steps);
    s.parameters = parameters;
    return s;
  }
  // Runs the engine and the rule, and compares where they end.
  void expect_path(const Trial& s,
                   const std::function<Numbers(int64_t, const NumbersOfAll&, const Numbers&)>& direction,
                   double factor = 1) const {
    Trial rule = s;
    if (s.noise == 0) rule.batch = "1";  // without noise the batches of a quadratic say nothing
    const Numbers want = test::path_end(rule, device(), direction);
    EXPECT_LE(test::difference(test::first_worker(final_models(s), want.size()), want), factor * tolerance());
    double moved = 0;
    for (const double x : want) moved = std::max(moved, std::abs(x - 0.25));
    EXPECT_GT(moved, 0.005) << "it went nowhere";
  }
  Stream coins(const Trial& s, Draw draw, size_t worker, int64_t t) const {
    return Stream(static_cast<uint64_t>(s.seed), draw, static_cast<uint32_t>(worker), static_cast<uint64_t>(t));
  }
};
ORRERY_ON_CASES(VoteMessages, {"quadratic"}, {"fp64", "fp32"});

// v <- beta v + (1 - beta) g from 0, its sign is voted on; weights decay apart from the vote (7.1).
TEST_P(VoteMessages, SignumVotesOnVelocities) {
  Trial s = voting("momentum = 0.8\nweight_decay = 0.3");
  s.learning_rate = 0.02;
  NumbersOfAll v(5, Numbers(12));
  expect_path(s, [&](int64_t, const NumbersOfAll& g, const Numbers& x) {
    for (size_t i = 0; i < 5; ++i)
      for (size_t j = 0; j < 12; ++j) v[i][j] = 0.8 * v[i][j] + 0.2 * g[i][j];
    Numbers u = test::majority(v);
    for (size_t j = 0; j < 12; ++j) u[j] += 0.3 * x[j];
    return u;
  });
  Trial none = s;
  none.algorithm = "momentum = 0.0";
  Trial plain = s;
  plain.algorithm = "";
  EXPECT_EQ(final_models(none), final_models(plain)) << "beta = 0 is signSGD";
}

// Looking at the vote that comes next keeps velocities, residuals and counters as they are.
TEST_P(VoteMessages, LookingChangesNothing) {
  for (const char* keys :
       {"vote = \"fv\"\nwarmup = 4", "vote = \"fv\"\nwarmup = 4\nforgetting = 0.8", "vote = \"fv-worker\"\nwarmup = 4",
        "vote = \"genie\"", "momentum = 0.8", "vote = \"mean\"", "error_feedback = \"two-way\"", "sparsity = 0.3",
        "vote = \"top-k\"\nsparsity = 0.3", "error_feedback = \"worker\"",
        "vote = \"average\"\nnoise = { kind = \"uniform\", scale = 5.0 }"}) {
    const Trial often = voting(keys);
    Trial rarely = often;
    rarely.every = 1000;
    rarely.metrics = "\"train_loss\"";
    EXPECT_EQ(final_models(often), final_models(rarely)) << keys;
  }
}

// Inverted signs; each with its probability; and the others' majority opposed by colluders who know it (7.5).
TEST_P(VoteMessages, AttacksOnSignsAsWrittenOut) {
  const Trial inverted = voting("attack = { kind = \"inversion\", workers = 2 }", 7);
  expect_path(inverted, [&](int64_t, NumbersOfAll g, const Numbers&) {
    for (size_t i = 0; i < 2; ++i)
      for (double& v : g[i]) v = -v;
    return test::majority(g);
  });
  const Trial flipped = voting("attack = { kind = \"flip\", rate = 0.3, workers = [1, 4, 5] }", 7);
  expect_path(flipped, [&](int64_t t, NumbersOfAll g, const Numbers&) {
    for (const size_t i : {1, 4, 5})
      for (size_t j = 0; j < g[i].size(); ++j)
        if (coins(flipped, Draw::attack, i, t).bernoulli(static_cast<uint32_t>(j), 0.3)) g[i][j] = -g[i][j];
    return test::majority(g);
  });
  const Trial colluding = voting("attack = { kind = \"colluders\", workers = 3 }", 8);
  expect_path(colluding, [&](int64_t, NumbersOfAll g, const Numbers&) {
    const Numbers known = test::majority({g.begin() + 3, g.end()});
    for (size_t i = 0; i < 3; ++i)
      for (size_t j = 0; j < known.size(); ++j) g[i][j] = known[j] > 0 ? -1 : known[j] < 0 ? 1 : -1;
    return test::majority(g);
  });
}

// Colluders below different nodes know the voters of their own node (HierSignSGD).
TEST_P(VoteMessages, ColludersKnowTheirNode) {
  Trial s = voting("attack = { kind = \"colluders\", workers = [0, 3, 5] }", 6, 3);
  s.network = "tiers = [{ name = \"edge\", nodes = 2, period = 1 }, { name = \"cloud\", nodes = 1, period = 8 }]";
  const test::Oracle oracle(s, device());
  NumbersOfAll x(2, Numbers(12, 0.25));
  for (int64_t t = 0; t < 3; ++t)
    for (size_t k = 0; k < 2; ++k) {
      NumbersOfAll g;
      for (size_t w = 3 * k; w < 3 * k + 3; ++w) g.push_back(oracle.gradient(static_cast<int64_t>(w), t, x[k].data()));
      NumbersOfAll honest;
      for (size_t w = 0; w < 3; ++w)
        if (const size_t who = 3 * k + w; who != 0 && who != 3 && who != 5) honest.push_back(g[w]);
      const Numbers known = test::majority(honest);
      for (size_t w = 0; w < 3; ++w)
        if (const size_t who = 3 * k + w; who == 0 || who == 3 || who == 5)
          for (size_t j = 0; j < 12; ++j) g[w][j] = known[j] < 0 ? 1 : -1;
      const Numbers u = test::majority(g);
      for (size_t j = 0; j < 12; ++j) x[k][j] -= s.learning_rate * u[j];
    }
  const auto got = final_models(s);
  for (size_t j = 0; j < 12; ++j) {
    EXPECT_NEAR(got[j], x[0][j], 10 * tolerance());
    EXPECT_NEAR(got[3 * 12 + j], x[1][j], 10 * tolerance());
  }
}

// Noise in place of a gradient and on top of it, before the sign.
TEST_P(VoteMessages, AttacksOnNumbersAsWrittenOut) {
  for (const bool replaced : {true, false}) {
    const Trial s = voting(
        fmt::format("attack = {{ kind = \"{}\", deviation = 2.5, workers = 3 }}", replaced ? "gaussian" : "noise"), 7);
    expect_path(s, [&](int64_t t, NumbersOfAll g, const Numbers&) {
      for (size_t i = 0; i < 3; ++i)
        for (size_t j = 0; j < g[i].size(); ++j)
          g[i][j] =
              (replaced ? 0 : g[i][j]) + 2.5 * coins(s, Draw::attack_noise, i, t).normal(static_cast<uint32_t>(j));
      return test::majority(g);
    });
  }
}

// An adversary's noise and the noise that everybody adds are draws of their own.
TEST_P(VoteMessages, NoiseOfAnAttackIsApartFromNoiseOfTheMethod) {
  const Trial s = voting(
      "attack = { kind = \"noise\", deviation = 2.0, workers = 2 }\nnoise = { kind = \"gaussian\", scale = 1.5 }", 7);
  expect_path(s, [&](int64_t t, NumbersOfAll g, const Numbers&) {
    for (size_t i = 0; i < g.size(); ++i)
      for (size_t j = 0; j < g[i].size(); ++j) {
        const auto at = static_cast<uint32_t>(j);
        if (i < 2) g[i][j] += 2.0 * coins(s, Draw::attack_noise, i, t).normal(at);
        g[i][j] += 1.5 * coins(s, Draw::sign_noise, i, t).normal(at);
      }
    return test::majority(g);
  });
}

// Noise in front of the sign, of one scale, or of the worker's largest gradient or its norm (7.4).
TEST_P(VoteMessages, NoiseBeforeTheSignAsWrittenOut) {
  for (const char* scale : {"4.0", "\"max\"", "\"norm\""})
    for (const bool uniform : {true, false}) {
      SCOPED_TRACE(scale);
      const Trial s =
          voting(fmt::format("noise = {{ kind = \"{}\", scale = {} }}", uniform ? "uniform" : "gaussian", scale));
      expect_path(s, [&](int64_t t, NumbersOfAll g, const Numbers&) {
        for (size_t i = 0; i < g.size(); ++i) {
          double largest = 0, squares = 0;
          for (const double v : g[i]) largest = std::max(largest, std::abs(v)), squares += v * v;
          const double b = scale[0] == '4' ? 4.0 : scale[1] == 'm' ? largest : std::sqrt(squares);
          const Stream xi = coins(s, Draw::sign_noise, i, t);
          for (size_t j = 0; j < g[i].size(); ++j) {
            const auto at = static_cast<uint32_t>(j);
            g[i][j] += b * (uniform ? 2 * xi.uniform(at) - 1 : xi.normal(at));
          }
        }
        return test::majority(g);
      });
    }
}

// The average of signs, as large as makes it follow the gradient: eta_z sigma, eta_z = 1 or sqrt(pi / 2).
TEST_P(VoteMessages, AveragesOfSigns) {
  for (const bool uniform : {true, false}) {
    const Trial s = voting(
        fmt::format("vote = \"average\"\nnoise = {{ kind = \"{}\", scale = 3.0 }}", uniform ? "uniform" : "gaussian"));
    const double amplitude = 3 * (uniform ? 1 : std::sqrt(std::acos(-1.0) / 2));
    expect_path(
        s,
        [&](int64_t t, const NumbersOfAll& g, const Numbers&) {
          Numbers d(g[0].size());
          for (size_t i = 0; i < g.size(); ++i) {
            const Stream xi = coins(s, Draw::sign_noise, i, t);
            for (size_t j = 0; j < d.size(); ++j) {
              const auto at = static_cast<uint32_t>(j);
              d[j] += amplitude / 5 * test::sign(g[i][j] + 3 * (uniform ? 2 * xi.uniform(at) - 1 : xi.normal(at)));
            }
          }
          return d;
        },
        10);
  }
}

// c = (|p|_1 / n) sign(p), a zero sent as +1; what is left is kept: x - eta mean e follows exact SGD (V19). Two-way: the server does so, too,
// and residuals are told in steps of the rate that was.
TEST_P(VoteMessages, ErrorFeedbackAsWrittenOut) {
  const auto compress = [](Numbers& p) {  // returns C(p) and leaves p - C(p)
    double norm = 0;
    for (const double v : p) norm += std::abs(v) / static_cast<double>(p.size());
    Numbers c;
    for (double& v : p) c.push_back(v < 0 ? -norm : norm), v -= c.back();
    return c;
  };
  for (const bool both : {false, true}) {
    Trial s = voting(fmt::format("error_feedback = \"{}\"", both ? "two-way" : "worker"));
    s.rate = "{ start = 0.01, drops = [[5, 0.5], [9, 0.1]] }";
    const auto rate = [](int64_t t) { return t < 5 ? 0.01 : t < 9 ? 0.005 : 0.0005; };
    NumbersOfAll e(5, Numbers(12));
    Numbers server(12), exact(12, 0.25), x_end;
    expect_path(
        s,
        [&](int64_t t, const NumbersOfAll& g, const Numbers& x) {
          const double ratio = both && t > 0 ? rate(t - 1) / rate(t) : 1;
          Numbers q(12);
          for (size_t i = 0; i < 5; ++i) {
            for (size_t j = 0; j < 12; ++j) e[i][j] = g[i][j] + ratio * e[i][j];
            const Numbers c = compress(e[i]);
            for (size_t j = 0; j < 12; ++j) q[j] += c[j] / 5;
          }
          if (both) {
            for (size_t j = 0; j < 12; ++j) server[j] = q[j] + ratio * server[j];
            q = compress(server);
          }
          x_end = x;
          for (size_t j = 0; j < 12; ++j) {
            q[j] *= rate(t) / 0.01;  // the path steps by the first rate
            x_end[j] -= 0.01 * q[j];
            if (t < 5) {
              double mean = 0, left = server[j];
              for (size_t i = 0; i < 5; ++i) mean += g[i][j] / 5, left += e[i][j] / 5;
              exact[j] -= 0.01 * mean;
              EXPECT_NEAR(x_end[j] - 0.01 * left, exact[j], 1e-12) << "round " << t;
            }
          }
          return q;
        },
        20);
  }
}

// S3GD-MV (7.3) and Top-K (3.7): e <- lambda e + g, the ceil(kappa P) largest are sent and forgotten, as signs or as numbers.
TEST_P(VoteMessages, SparseMessagesAsWrittenOut) {
  for (const bool numbers : {false, true}) {
    const Trial s =
        voting(fmt::format("vote = \"{}\"\nsparsity = 0.3\naccumulation = 0.9\nattack = {{ kind = \"inversion\", "
                           "workers = 1 }}",
                           numbers ? "top-k" : "majority"));
    NumbersOfAll e(5, Numbers(12));
    expect_path(
        s,
        [&](int64_t, const NumbersOfAll& g, const Numbers&) {
          Numbers d(12), senders(12);
          for (size_t i = 0; i < 5; ++i) {
            std::vector<size_t> order(12);
            std::iota(order.begin(), order.end(), size_t{0});
            for (size_t j = 0; j < 12; ++j) e[i][j] = 0.9 * e[i][j] + g[i][j];
            std::stable_sort(order.begin(), order.end(),
                             [&](size_t a, size_t b) { return std::abs(e[i][a]) > std::abs(e[i][b]); });
            for (size_t k = 0; k < 4; ++k) {  // ceil(0.3 * 12)
              const size_t j = order[k];
              d[j] += (i == 0 ? -1 : 1) * (numbers ? e[i][j] : test::sign(e[i][j]));
              senders[j] += 1;
              e[i][j] = 0;
            }
          }
          for (size_t j = 0; j < 12; ++j) d[j] = numbers ? d[j] / (senders[j] + 1e-5) : test::sign(d[j]);
          return d;
        },
        10);
    // 4 of 12 coordinates: 4 positions of 4 bits and 4 signs, or a bitmap and 4 signs; floats where numbers are sent
    const RunResult r = result(s);
    const double floats = GetParam().precision == "fp64" ? 64 : 32;
    EXPECT_EQ(r.arms[0].values[1][0].back(), 16 * 5 * (12 + 4 + (numbers ? 4 * (floats - 1) : 0)));
  }
}

// The genie weighs a worker by how its signs of this very round agree with those of the exact gradient.
TEST_P(VoteMessages, TheGenieKnowsWhoIsRight) {
  Trial s = voting("vote = \"genie\"\nattack = { kind = \"inversion\", workers = 2 }", 5, 12, 60);
  const test::Oracle oracle(s, device());
  expect_path(s, [&](int64_t, NumbersOfAll g, const Numbers& x) {
    Numbers exact(60), w;
    for (int64_t i = 0; i < 5; ++i) {
      const auto own = oracle.gradient(i, -1, x.data());
      for (size_t j = 0; j < 60; ++j) exact[j] += own[j] / 5;
    }
    for (size_t i = 0; i < 2; ++i)
      for (double& v : g[i]) v = -v;
    for (size_t i = 0; i < 5; ++i) {
      double right = 0;
      for (size_t j = 0; j < 60; ++j) right += test::sign(g[i][j]) == test::sign(exact[j]);
      const double a = right / 60;
      w.push_back(std::clamp(std::log((a + 1e-5) / (1 - a + 1e-5)), -10.0, 10.0));
    }
    EXPECT_LT(w[0], 0) << "an adversary is read backwards";
    return test::weighted_signs(g, w);
  });
}

// Distributed SGD, each worker alike or as much as its batch (3.7); an adversary that inverts sends -g.
TEST_P(VoteMessages, MeansOfNumbers) {
  expect_path(
      voting("vote = \"mean\"\nattack = { kind = \"inversion\", workers = 1 }"),
      [](int64_t, const NumbersOfAll& g, const Numbers&) {
        Numbers d(g[0].size());
        for (size_t i = 0; i < g.size(); ++i)
          for (size_t j = 0; j < d.size(); ++j) d[j] += (i == 0 ? -1 : 1) * g[i][j] / static_cast<double>(g.size());
        return d;
      },
      10);
  // batches of 9, 1, 1, 9, 1: noise of a third, and weights of nine
  Trial s = voting("vote = \"batch-mean\"");
  s.noise = 0;
  s.batch = "[9, 1, 1]";
  expect_path(
      s,
      [](int64_t, const NumbersOfAll& g, const Numbers&) {
        Numbers d(g[0].size());
        for (size_t i = 0; i < g.size(); ++i)
          for (size_t j = 0; j < d.size(); ++j) d[j] += (i % 3 == 0 ? 9 : 1) * g[i][j] / 21;
        return d;
      },
      10);
  // a mean is what tiered SGD of period 1 does
  Trial mean = voting("vote = \"mean\""), tiered = mean;
  tiered.kind = "h-sgd";
  tiered.algorithm = "";
  tiered.metrics = "\"train_loss\"";
  tiered.network = "tiers = [{ name = \"server\", nodes = 1, period = 1 }]";
  EXPECT_LE(test::difference(final_models(mean), final_models(tiered)), 10 * tolerance());
}

// Several batches a slot are local steps, and what is voted on is how far they went (z-SignFedAvg, 7.4).
TEST_P(VoteMessages, LocalStepsBeforeTheSign) {
  Trial s = voting("vote = \"majority\"");
  s.repeats = {3, 1};
  const test::Oracle oracle(s, device());
  expect_path(s, [&](int64_t t, const NumbersOfAll&, const Numbers& x) {
    NumbersOfAll moved;
    for (int64_t i = 0; i < 5; ++i) {
      Numbers own = x;
      for (int64_t k = 0; k < (i % 2 == 0 ? 3 : 1); ++k) {
        const auto g = oracle.gradient(i, t, own.data(), k);
        for (size_t j = 0; j < own.size(); ++j) own[j] -= s.learning_rate * g[j];
      }
      moved.emplace_back();
      for (size_t j = 0; j < own.size(); ++j) moved.back().push_back(x[j] - own[j]);
    }
    return test::majority(moved);
  });
  // steps so short that x - x_local has no digits left: one batch a slot is a plain gradient, whatever the others do
  Trial one = voting("sign_zero = \"plus\"");
  one.learning_rate = 1e-12;
  one.metrics = "\"vote_agreement\"";
  Trial mixed = one;
  mixed.repeats = {1, 1, 1, 1, 2};
  const double plain = result(one).arms[0].values[0][0][0], beside = result(mixed).arms[0].values[0][0][0];
  EXPECT_NEAR(beside, plain, 0.2);
}

// SIGNUM below a cloud that averages edge models: velocities start again from 0 there, unless they are to be kept.
TEST_P(VoteMessages, VelocitiesStartAgainAtModelAverages) {
  for (const bool kept : {false, true}) {
    Trial s = voting(fmt::format("momentum = 0.8\nmomentum_at_average = \"{}\"", kept ? "keep" : "reset"), 6, 10);
    s.network = "tiers = [{ name = \"edge\", nodes = 2, period = 1 }, { name = \"cloud\", nodes = 1, period = 4 }]";
    const test::Oracle oracle(s, device());
    NumbersOfAll x(2, Numbers(12, 0.25)), v(6, Numbers(12));
    for (int64_t t = 0; t < 10; ++t) {
      for (size_t k = 0; k < 2; ++k) {
        for (size_t w = 3 * k; w < 3 * k + 3; ++w) {
          const auto g = oracle.gradient(static_cast<int64_t>(w), t, x[k].data());
          for (size_t j = 0; j < 12; ++j) v[w][j] = 0.8 * v[w][j] + 0.2 * g[j];
        }
        const auto first = v.begin() + static_cast<std::ptrdiff_t>(3 * k);
        const Numbers u = test::majority({first, first + 3});
        for (size_t j = 0; j < 12; ++j) x[k][j] -= s.learning_rate * u[j];
      }
      if ((t + 1) % 4 != 0) continue;
      for (size_t j = 0; j < 12; ++j) x[0][j] = x[1][j] = (x[0][j] + x[1][j]) / 2;
      if (!kept) v.assign(6, Numbers(12));
    }
    const auto got = final_models(s);
    EXPECT_LE(test::difference(test::first_worker(got, 12), x[0]), tolerance());
    EXPECT_LE(test::difference({got.begin() + 3 * 12, got.begin() + 4 * 12}, x[1]), tolerance());
  }
}

}  // namespace
}  // namespace orrery
