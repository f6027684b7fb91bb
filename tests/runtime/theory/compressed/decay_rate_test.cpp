// S13 of st-compression.md: decay rates of what compressors induce, d = 10, Euler steps of 0.1.
#include "runtime/theory/compressed/decay_rate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/runtime/compression/compressions.hpp"

namespace orrery::compressed_theory {
namespace {

DecayRate rate(const std::string& text, double s = 0.1, int64_t P = 10, bool probe = true) {
  return decay_rate(*test::compressor_of(text), {.parameters = P}, s, 4, probe);
}

TEST(DecayRates, AreThoseOfTheDigest) {
  struct Row {
    std::string text;
    double want, share;
  };
  // random maps: their draws are others than the digest's
  for (const Row& row : {Row{"kind = 'identity'", 1.0536, 0.02},
                         {"kind = 'top-k'\nk = 1", 0.1060, 0.02},
                         {"kind = 'top-k'\nk = 2", 0.2115, 0.02},
                         {"kind = 'one-bit'", 0.5138, 0.02},
                         {"kind = 'quantizer'\nbits = 3", 1.0532, 0.02},
                         {"kind = 'cyclic'", 0.1054, 0.02},
                         {"kind = 'trigonometric'\nfrequency = 0.37", 0.1050, 0.02},
                         {"kind = 'random-scalarizer'", 0.0942, 0.08},
                         {"kind = 'rand-k'\nk = 2", 0.2007, 0.08},
                         {"kind = 'fixed-step'\nstep = 0.1", 0.0120, 0.25}}) {
    const DecayRate r = rate(row.text);
    ASSERT_TRUE(r.probed) << row.text << r.why_not;
    EXPECT_NEAR(*r.probed, row.want, row.share * row.want) << row.text;
  }
}

// Linear maps: exact, and what starts show lies beside it. -ln(0.9)/0.1 and a tenth of it to rounding.
TEST(DecayRates, ExactOfLinearMaps) {
  EXPECT_NEAR(*rate("kind = 'identity'").exact, -std::log(0.9) / 0.1, 1e-12);
  EXPECT_NEAR(*rate("kind = 'cyclic'").exact, -std::log(0.9) / 1.0, 1e-12);
  EXPECT_NEAR(*rate("kind = 'block'\nblocks = 5").exact, -std::log(0.9) / 0.5, 1e-12);
  for (const std::string text :
       {"kind = 'trigonometric'\nfrequency = 0.37", "kind = 'random-scalarizer'", "kind = 'rand-k'\nk = 2"}) {
    const DecayRate r = rate(text);
    ASSERT_TRUE(r.exact && r.probed) << text;
    EXPECT_NEAR(*r.exact, *r.probed, 0.12 * *r.exact) << text;  // over 2000 steps of draws
  }
  EXPECT_FALSE(rate("kind = 'top-k'\nk = 1").exact);
}

// What the class promises for every start is at most what the starts show, in small steps.
TEST(DecayRates, PromisesHold) {
  for (const std::string text : {"kind = 'identity'", "kind = 'top-k'\nk = 1", "kind = 'top-k'\nk = 4",
                                 "kind = 'one-bit'", "kind = 'sign'", "kind = 'quantizer'\nbits = 1",
                                 "kind = 'quantizer'\nbits = 3", "kind = 'cyclic'", "kind = 'block'\nblocks = 5"}) {
    const DecayRate r = rate(text, 0.01);
    ASSERT_TRUE(r.promised && r.probed) << text;
    EXPECT_GE(*r.probed, *r.promised * 0.999) << text;
  }
  EXPECT_FALSE(rate("kind = 'fixed-step'\nstep = 0.1").promised);
}

TEST(DecayRates, SayWhyThereIsNone) {
  EXPECT_NE(rate("kind = 'identity'", 0.1, 10, false).why_not, "");
  EXPECT_NE(rate("kind = 'identity'", 0.1, 1000000).why_not.find("too many"), std::string::npos);
  const DecayRate gone = rate("kind = 'identity'", 1);  // in one step
  EXPECT_FALSE(gone.probed || gone.exact);
  EXPECT_NE(gone.why_not.find("end at zero"), std::string::npos);
}

}  // namespace
}  // namespace orrery::compressed_theory
