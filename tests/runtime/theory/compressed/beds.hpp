// The digest's bench Q10 (st-compression.md 7) as arrays, and methods on it as the file says them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "runtime/compressed/laplacian.hpp"
#include "runtime/theory/compressed/closed_loop.hpp"
#include "tests/runtime/network/make_network.hpp"

namespace orrery::test {

struct Ten {
  std::vector<double> a, b, best, weights = std::vector<double>(10, 0.1);  // (10, 10) twice, (10)
  Built ring = build("workers = 10\ngraph = { kind = \"ring\", period = 1, mixing = \"metropolis\" }\n");
  Mixing unit = laplacian_of(ring.network, true), third = laplacian_of(ring.network, false);  // L, I - W = L/3

  Ten() {
    const auto fraction = [](double v) { return v - std::floor(v); };
    for (int m = 1; m <= 100; ++m) {
      a.push_back(1 + fraction(0.6180339887498949 * m));
      b.push_back(2 * fraction(1.4142135623730951 * m) - 1);
    }
    for (size_t c = 0; c < 10; ++c) {
      double above = 0, below = 0;
      for (size_t i = 0; i < 10; ++i) above += a[10 * i + c] * b[10 * i + c], below += a[10 * i + c];
      best.push_back(above / below);
    }
  }
  // deviation of x(0) = v(0) = xh(0) = 0 from the primal-dual flow's fixed point with gains 1
  compressed_theory::LoopState start(bool observes) const {
    compressed_theory::LoopState z;
    for (size_t k = 0; k < 100; ++k) {
      z.x.push_back(-best[k % 10]);
      z.v.push_back(a[k] * (best[k % 10] - b[k]));
      if (observes) z.h.push_back(-best[k % 10]);
    }
    return z;
  }
};

}  // namespace orrery::test
