// The discrete relatives of the flows (st-compression.md A.2 - A.8): whole runs against the updates written out in float64 with whole matrices,
// what they equal without compression, what never changes while they run, bits, and messages through their bytes.
#include "tests/laws/compressed_helpers.hpp"

namespace orrery {
namespace {

using test::added, test::difference_of, test::mean_rows, test::rows_through, test::sum_of, test::times;
using test::Bench;
using test::Matrix;
using test::Numbers;

class CompressedMethods : public test::OnEachCase {
 protected:
  Bench bench(const std::string& kind) const {
    Bench b;
    b.kind = kind;
    b.precision = GetParam().precision;
    b.graph = star(kind) ? "" : "kind = \"path\"\nperiod = 1";
    return b;
  }
  static bool star(const std::string& kind) { return kind == "ef-sgd" || kind == "ef21"; }
  bool exact() const { return GetParam().precision == "fp64"; }
  RunResult result(const Bench& b) const { return run_text(b.text()); }
  Numbers final_models(const Bench& b) const { return test::models(result(b).arms[0]); }

  struct Gains {
    double gamma = 0.4, a = 0.6, l1 = 0;
  };
  static Numbers written_out(const Bench& b, const Gains& s, const test::Map& c) {
    const auto n = static_cast<size_t>(b.workers), p = static_cast<size_t>(b.parameters);
    const Matrix w = test::path_mixing(n);
    const double eta = b.learning_rate;
    Matrix x = b.starts(), xh = test::zeros(n, p), e = xh, d = xh, h = xh, hw = xh;
    int64_t k = 0;
    if (b.kind == "lead") x = added(x, -eta, b.gradients(x)), ++k;
    for (; k < b.steps; ++k) {
      const Matrix g = b.gradients(x);
      if (b.kind == "choco-gossip" || b.kind == "choco-sgd") {
        if (b.kind == "choco-sgd") x = added(x, -eta, g);
        xh = added(xh, 1, rows_through(c, difference_of(x, xh), k));
        x = added(x, s.gamma, difference_of(times(w, xh), xh));
      } else if (b.kind == "ef-sgd") {
        const Matrix sent = added(e, eta, g), q = rows_through(c, sent, k);
        e = difference_of(sent, q);
        x = difference_of(x, mean_rows(q));
      } else if (b.kind == "ef21") {
        h = added(h, 1, rows_through(c, difference_of(g, h), k));
        x = added(x, -eta, mean_rows(h));
      } else {
        const double of_d = b.kind == "cedas" ? 1 : eta;
        const Matrix y = added(added(x, -eta, g), -of_d, d);
        const Matrix q = rows_through(c, difference_of(y, h), k), yh = added(h, 1, q), yw = added(hw, 1, times(w, q));
        h = sum_of({{1 - s.a, &h}, {s.a, &yh}});
        hw = sum_of({{1 - s.a, &hw}, {s.a, &yw}});
        const Matrix dual = difference_of(yh, yw);
        const Matrix before = x;
        d = added(d, s.gamma / 2 / of_d, dual);
        x = added(added(before, -eta, g), -of_d, d);
        if (b.kind == "prox-lead")
          for (auto& row : x)
            for (double& v : row) v = (v > 0 ? 1 : -1) * std::max(std::abs(v) - eta * s.l1, 0.0);
      }
    }
    return test::flat(x);
  }
  static std::string keys(const std::string& kind, const Gains& s) {
    if (star(kind)) return "";
    std::string t = fmt::format("gamma = {}\n", s.gamma);
    if (kind == "lead" || kind == "prox-lead" || kind == "cedas") t += fmt::format("a = {}\n", s.a);
    if (kind == "prox-lead") t += fmt::format("l1 = {}\n", s.l1);
    return t;
  }
  test::Folder folder_;
};
ORRERY_ON_CASES(CompressedMethods, {"quadratic"}, {"fp64", "fp32"});

const std::vector<std::string> relatives{"choco-gossip", "choco-sgd", "ef-sgd", "ef21", "lead", "prox-lead", "cedas"};

TEST_P(CompressedMethods, EveryMethodAsWrittenOut) {
  const Gains s{0.4, 0.6, 0.3};
  for (const auto& kind : relatives)
    for (const auto& c : test::named_maps()) {
      if (!exact() && (c.text.find("top") != c.text.npos || c.text.find("one-bit") != c.text.npos))
        continue;  // discontinuous: a rounding decides
      SCOPED_TRACE(kind + " " + c.text);
      Bench b = bench(kind);
      if (!star(kind)) b = b.from_apart(folder_);
      if (kind == "ef21") b.learning_rate = 0.05;
      b.compressor = c.text;
      b.algorithm = keys(kind, s);
      EXPECT_LE(test::difference(final_models(b), written_out(b, s, c.map)), 20 * tolerance());
    }
}

// A.8: without compression the methods are those that they compress.
TEST_P(CompressedMethods, IdentityIsTheMethodItself) {
  const auto near = [&](const Bench& got, const Bench& want) {
    EXPECT_LE(test::difference(final_models(got), final_models(want)), 20 * tolerance()) << got.kind;
  };
  for (const char* batch : {"\"full\"", "3"}) {  // equal draws, too
    const auto with = [&](const std::string& kind, const std::string& more) {
      Bench b = bench(kind);
      b.batch = batch;
      b.noise = "0.4";
      b.algorithm = more;
      return b;
    };
    Bench atc = with("diffusion", "");
    atc.compressor = "";
    near(with("choco-sgd", "gamma = 1.0"), atc);
    Bench central = with("centralized", "");
    central.compressor = central.graph = "";
    near(with("ef-sgd", ""), central);
    near(with("ef21", ""), central);
    near(with("cedas", "gamma = 1.0\na = 1.0"), with("prox-lead", "gamma = 1.0\na = 1.0\nl1 = 0"));
  }
  // plain gossip
  Bench gossip = bench("choco-gossip").from_apart(folder_);
  gossip.algorithm = "gamma = 1.0";
  Matrix x = gossip.starts();
  for (int64_t k = 0; k < gossip.steps; ++k) x = times(test::path_mixing(6), x);
  EXPECT_LE(test::difference(final_models(gossip), test::flat(x)), 20 * tolerance());
  // exact diffusion: psi = x - eta g, phi = psi + x - psi before, x+ = (I + W)/2 phi
  Bench exact_diffusion = bench("cedas");
  exact_diffusion.algorithm = "gamma = 1.0\na = 1.0";
  x = exact_diffusion.starts();
  Matrix before = x;
  for (int64_t k = 0; k < exact_diffusion.steps; ++k) {
    const Matrix psi = added(x, -exact_diffusion.learning_rate, exact_diffusion.gradients(x));
    const Matrix phi = difference_of(added(psi, 1, x), before), mixed = times(test::path_mixing(6), phi);
    x = sum_of({{0.5, &phi}, {0.5, &mixed}});
    before = psi;
  }
  EXPECT_LE(test::difference(final_models(exact_diffusion), test::flat(x)), 20 * tolerance());
}

const std::vector<std::string> every_kind{
    "consensus-flow", "primal-dual", "compressed-primal-dual", "choco-gossip", "choco-sgd", "ef-sgd", "ef21", "lead",
    "prox-lead",      "cedas"};
const std::vector<std::string> compressors{"kind = \"top-k\"\nk = 2",
                                           "kind = \"rand-k\"\nk = 2\nshared = false",
                                           "kind = \"dithered\"\nbits = 2",
                                           "kind = \"qsgd\"\nlevels = 1\ncoding = \"elias-gamma\"",
                                           "kind = \"natural\"",
                                           "kind = \"block\"\nblocks = 3",
                                           "kind = \"cyclic\""};

// S3: sum_i v_i = 0, zh = L xh, sum_i d_i = 0, H w = W H, and means that move by the mean gradient alone, after every step.
TEST_P(CompressedMethods, InvariantsHoldWhileRunning) {
  for (const auto& kind : every_kind)
    for (const auto& compressor : compressors) {
      SCOPED_TRACE(kind + " " + compressor);
      Bench b = bench(kind);
      if (!star(kind)) b = b.from_apart(folder_);
      b.learning_rate = 0.05;
      b.compressor = compressor;
      b.steps = 12;
      b.algorithm = "check_invariants = true";
      if (kind == "prox-lead") b.algorithm += "\nl1 = 0.01";
      if (kind.starts_with("choco") || kind == "lead" || kind == "cedas" || kind == "prox-lead")
        b.algorithm += "\ngamma = 0.1";
      EXPECT_NO_THROW(result(b));
    }
}

// Every message through its bytes, with its length held against the ledger's: the same models and the same bits.
TEST_P(CompressedMethods, SendingBytesChangesNothing) {
  for (const char* kind : {"primal-dual", "choco-sgd", "ef21", "lead"})
    for (const auto& compressor : compressors) {
      SCOPED_TRACE(kind + (" " + compressor));
      Bench b = bench(kind);
      b.learning_rate = 0.05;
      b.metrics = "\"bits_up\"";
      b.steps = 8;
      b.compressor = compressor;
      const std::string gamma = b.kind == "choco-sgd" || b.kind == "lead" ? "gamma = 0.1\n" : "";
      b.algorithm = gamma;
      const RunResult plain = result(b);
      b.algorithm = gamma + "send_bytes = true";
      const RunResult bytes = result(b);
      EXPECT_EQ(test::models(bytes.arms[0]), test::models(plain.arms[0]));
      EXPECT_EQ(bytes.arms[0].values, plain.arms[0].values);
    }
}

// Unicast: a message of every worker over every one of its links in a step; to a server one, and P numbers back.
TEST_P(CompressedMethods, LedgerCountsBits) {
  const int64_t real = exact() ? 64 : 32, steps = 30, links = 10;  // of a path of six, both ways
  const auto bits = [&](const std::string& kind, const std::string& compressor, const std::string& metric) {
    Bench b = bench(kind);
    b.compressor = compressor;
    b.metrics = "\"" + metric + "\"";
    b.learning_rate = 0.05;
    if (kind == "prox-lead") b.algorithm = "l1 = 0.1";
    return static_cast<int64_t>(result(b).arms[0].values[0][0].back());
  };
  for (const auto& kind : every_kind) {
    if (star(kind)) continue;
    const int64_t sends = kind == "lead" ? steps - 1 : steps;  // LEAD's first step is its own
    EXPECT_EQ(bits(kind, "kind = \"identity\"", "bits_up"), links * sends * 4 * real) << kind;
    EXPECT_EQ(bits(kind, "kind = \"top-k\"\nk = 1", "bits_up"), links * sends * (real + 2)) << kind;
    EXPECT_EQ(bits(kind, "kind = \"top-k\"\nk = 1", "bits_down"), links * sends * (real + 2)) << kind;
    // 3 blocks of 4 coordinates: 1, 1 and 2 in turn; LEAD leaves out the first
    EXPECT_EQ(bits(kind, "kind = \"block\"\nblocks = 3", "bits_up"), links * (40 - (kind == "lead" ? 1 : 0)) * real)
        << kind;
  }
  for (const char* kind : {"ef-sgd", "ef21"}) {
    EXPECT_EQ(bits(kind, "kind = \"one-bit\"", "bits_up"), 6 * steps * (4 + real)) << kind;
    EXPECT_EQ(bits(kind, "kind = \"one-bit\"", "bits_down"), 6 * steps * 4 * real) << kind;
  }
}

// What a run takes is what its plan says, whatever the method keeps.
TEST_P(CompressedMethods, MemoryIsThePlan) {
  for (const auto& kind : every_kind) {
    Bench b = bench(kind);
    b.parameters = 5000;
    b.steps = 3;
    b.metrics = "\"bits_up\"";
    b.compressor = "kind = \"top-k\"\nk = 50";
    if (kind == "prox-lead") b.algorithm = "l1 = 0.1";
    const RunResult r = result(b);
    EXPECT_NEAR(static_cast<double>(r.peak_memory), static_cast<double>(r.planned_memory),
                0.1 * static_cast<double>(r.planned_memory))
        << kind;
  }
}

// Virtual time takes the messages as long as they are.
TEST_P(CompressedMethods, ShorterMessagesTakeLessTime) {
  const double real = exact() ? 64 : 32;
  Bench b = bench("choco-sgd");
  b.graph += "\nlatency = 0.5\nbandwidth = 1000";
  b.network = "clock.step_time = 1.0";
  b.metrics = "\"virtual_time\"";
  b.steps = 4;
  EXPECT_NEAR(result(b).arms[0].values[0][0].back(), 4 * (1.5 + 4 * real / 1000), 1e-9);
  b.compressor = "kind = \"top-k\"\nk = 1";
  EXPECT_NEAR(result(b).arms[0].values[0][0].back(), 4 * (1.5 + (real + 2) / 1000), 1e-9);
}

// Alone and among other replicas and arms, on any number of threads.
TEST_P(CompressedMethods, TheSameBitsAloneAndAmongOthers) {
  for (const char* kind : {"primal-dual", "lead", "choco-sgd", "ef-sgd"}) {
    SCOPED_TRACE(kind);
    Bench b = bench(kind);
    b.batch = "3";
    b.noise = "0.4";
    b.compressor = "kind = \"rand-k\"\nk = 2";
    const auto alone = final_models(b);
    for (const int n : {1, 3}) {
      set_threads(n);
      EXPECT_EQ(final_models(b), alone);
    }
    set_threads(0);
    Bench many = b;
    many.replicas = 3;
    many.arms = "[[arm]]\nname = \"a\"\ncompressor = { kind = \"rand-k\", k = 3 }\n[[arm]]\nname = \"b\"\n";
    const RunResult r = result(many);
    const auto among = test::models(r.arms[1]);
    EXPECT_EQ(Numbers(among.begin(), among.begin() + static_cast<std::ptrdiff_t>(alone.size())), alone);
    EXPECT_NE(test::models(r.arms[0]), among);
  }
}

// A.4 - A.7 on the ten-node bench: steps to 1e-8, and the floors of methods that have one.
TEST_P(CompressedMethods, StepCountsOfTheDigest) {
  if (!exact()) GTEST_SKIP() << "1e-8 lies below what fp32 holds";
  struct Row {
    std::string kind, compressor, algorithm;
    double rate;
    int64_t steps;
  };
  const std::vector<Row> rows{
      {"lead", "kind = \"identity\"", "gamma = 1.0\na = 1.0", 0.3, 124},
      {"lead", "kind = \"top-k\"\nk = 5", "gamma = 0.5\na = 0.5", 0.3, 263},
      {"lead", "kind = \"top-k\"\nk = 2", "gamma = 0.2\na = 0.3", 0.3, 593},
      {"cedas", "kind = \"identity\"", "gamma = 1.0\na = 1.0", 0.3, 124},
      {"ef21", "kind = \"top-k\"\nk = 1", "", 0.0267259208476499, 410},
      {"ef21", "kind = \"top-k\"\nk = 2", "", 0.055599592590560964, 196},
      {"ef21", "kind = \"top-k\"\nk = 5", "", 0.16046729914225238, 64},
      {"compressed-primal-dual", "kind = \"top-k\"\nk = 1", "", 0.1, 837},
      {"compressed-primal-dual", "kind = \"top-k\"\nk = 2", "", 0.1, 852},
      {"compressed-primal-dual", "kind = \"one-bit\"", "", 0.1, 857},
      {"compressed-primal-dual", "kind = \"quantizer\"\nbits = 3", "", 0.1, 865},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.kind + " " + row.compressor);
    Bench b = test::q10();
    b.kind = row.kind;
    if (star(row.kind)) b.graph = "";
    b.compressor = row.compressor;
    b.algorithm = row.algorithm;
    b.learning_rate = row.rate;
    b.steps = row.steps + 4;
    EXPECT_NEAR(static_cast<double>(test::first_below(result(b), 0, 1e-8)), static_cast<double>(row.steps), 2);
  }
}

// A.2: gossip from x(0) = b, steps to 1e-8 of the mean of b.
TEST_P(CompressedMethods, GossipCountsOfTheDigest) {
  if (!exact()) GTEST_SKIP() << "1e-8 lies below what fp32 holds";
  struct Row {
    std::string compressor;
    double gamma;
    int64_t steps;
  };
  for (const Row& row : {Row{"kind = \"identity\"", 1, 136}, Row{"kind = \"top-k\"\nk = 1", 0.1, 1391},
                         Row{"kind = \"sign\"", 0.3, 467}}) {
    Bench b = test::q10();
    b.unit_curvature = true;
    b = b.from_apart(folder_);
    b.kind = "choco-gossip";
    b.compressor = row.compressor;
    b.algorithm = fmt::format("gamma = {}", row.gamma);
    b.steps = row.steps + 4;
    EXPECT_NEAR(static_cast<double>(test::first_below(result(b), 0, 1e-8)), static_cast<double>(row.steps), 2)
        << row.compressor;
  }
}

}  // namespace
}  // namespace orrery
