// Shared by the tests of sign voting: the vectors of papers/signsgd-fv.md, and numbers as the digest prints them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/core/rng.hpp"

namespace orrery::test {

// Half a unit of the last printed digit of e.g. "0.0500125" or "9.169e-07", and rounding.
inline double half_a_digit(const std::string& printed) {
  const size_t e = printed.find_first_of("eE"), point = printed.find('.');
  const std::string mantissa = printed.substr(0, e);
  const int exponent = e == std::string::npos ? 0 : std::atoi(printed.c_str() + e + 1);
  const int decimals = point == std::string::npos ? 0 : static_cast<int>(mantissa.size() - point - 1);
  return 0.5 * std::pow(10.0, exponent - decimals) * (1 + 1e-9);
}

inline void expect_printed(double got, const std::string& printed, const std::string& what) {
  EXPECT_NEAR(got, std::atof(printed.c_str()), half_a_digit(printed)) << what << ", printed as " << printed;
}

inline std::vector<double> times(size_t n, double x, size_t more = 0, double y = 0) {
  std::vector<double> out(n, x);
  out.insert(out.end(), more, y);
  return out;
}
inline std::vector<double> linspace(double from, double to, size_t n) {
  std::vector<double> out;
  for (size_t i = 0; i < n; ++i)
    out.push_back(from + (to - from) * static_cast<double>(i) / static_cast<double>(n - 1));
  return out;
}

// n numbers on (low, high) that follow from the key
inline std::vector<double> uniforms(size_t n, double low, double high, uint64_t key) {
  const Stream s(key, Draw::initial, 5, 0);
  std::vector<double> out;
  for (size_t i = 0; i < n; ++i) out.push_back(low + (high - low) * s.uniform(static_cast<uint32_t>(i)));
  return out;
}

// The five rows of 5.1.
inline std::vector<std::vector<double>> rows_of_5_1() {
  return {times(15, 0.3), linspace(0.05, 0.45, 15), times(9, 0.45, 6, 0.15), times(12, 0.47, 3, 0.10),
          times(14, 0.48, 1, 0.02)};
}

// P_E by its definition: every pattern of errors, ties half. Oracle.
inline double by_definition(const std::vector<double>& p, const std::vector<double>& v) {
  double error = 0, size = 0;
  for (const double x : v) size += std::abs(x);
  for (uint64_t wrong = 0; wrong < uint64_t{1} << p.size(); ++wrong) {
    double score = 0, probability = 1;
    for (size_t m = 0; m < p.size(); ++m) {
      const bool z = (wrong >> m) & 1;
      score += z ? -v[m] : v[m];
      probability *= z ? p[m] : 1 - p[m];
    }
    if (std::abs(score) <= 1e-12 * size)
      error += probability / 2;
    else if (score < 0)
      error += probability;
  }
  return error;
}

}  // namespace orrery::test
