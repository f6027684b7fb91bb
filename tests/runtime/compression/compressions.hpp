// Every compressor with every option, for tests that hold all of them to one law; and a bank of rows that they are bound to.
#pragma once

#include <algorithm>

#include "runtime/compression/compressor.hpp"
#include "tests/support.hpp"

namespace orrery::test {

struct Compressed {
  std::string text;      // the table [compressor]
  bool cosines = false;  // its directions agree between host and CUDA to rounding only
  bool alone = true;     // a row's message does not depend on the rows of its replica
};

// for P >= 4 coordinates, an even number of them
inline std::vector<Compressed> every_compressor(int64_t P) {
  std::string psi = "psi = [";  // two sparse directions and a full one
  for (int row = 0; row < 3; ++row) {
    psi += "[";
    for (int64_t j = 0; j < P; ++j)
      psi += std::to_string(row == 2 ? 0.25 * static_cast<double>(j % 5) - 0.5 : j == row) + ", ";
    psi += "], ";
  }
  psi += "]";
  const auto k = std::to_string(std::max<int64_t>(1, P / 3)), all = std::to_string(P);
  std::vector<Compressed> configs{
      {"kind = 'identity'"},
      {"kind = 'top-k'\nk = 1"},
      {"kind = 'top-k'\nk = " + k},
      {"kind = 'top-k'\npositions = 'bitmap'\nk = " + k},
      {"kind = 'top-k'\nk = " + all},
      {"kind = 'rand-k'\nk = " + k},
      {"kind = 'rand-k'\nshared = false\nscaled = true\nk = " + k},
      {"kind = 'cyclic'"},
      {"kind = 'cyclic'\ndwell = 3\nscaled = true"},
      {"kind = 'block'\nblocks = 3"},
      {"kind = 'block'\nblocks = 4\ndwell = 2\nscaled = true"},
      {"kind = 'scalarizer'\ndwell = 2\n" + psi},
      {"kind = 'trigonometric'", true},
      {"kind = 'trigonometric'\nfrequency = 1.3\nscaled = true", true},
      {"kind = 'random-scalarizer'", true},
      {"kind = 'random-scalarizer'\nshared = false\nscaled = true\ndwell = 5", true},
      {"kind = 'one-bit'"},
      {"kind = 'sign'"},
      {"kind = 'quantizer'\nbits = 1"},
      {"kind = 'quantizer'\nbits = 3"},
      {"kind = 'quantizer'\nbits = 16\ncoding = 'elias-gamma'"},
      {"kind = 'fixed-step'\nstep = 0.3"},
      {"kind = 'fixed-step'\nstep = 0.01\ncoding = 'elias-omega'"},
      {"kind = 'zoom-quantizer'\nstep = 1\ndecay = 0.8"},
      {"kind = 'qsgd'\nlevels = 1"},
      {"kind = 'qsgd'\nlevels = 4"},
      {"kind = 'qsgd'\nlevels = 1\ncoding = 'elias-gamma'"},
      {"kind = 'qsgd'\nlevels = 100\ncoding = 'elias-omega'"},
      {"kind = 'dithered'\nbits = 2"},
      {"kind = 'dithered'\nbits = 5\ncoding = 'elias-omega'"},
      {"kind = 'natural'"},
      {"kind = 'sine-map'", true},
      {"kind = 'top-k'\nk = " + k + "\nthen = { kind = 'quantizer', bits = 4 }"},
      {"kind = 'top-k'\nk = " + k + "\nthen = { kind = 'qsgd', levels = 2, coding = 'elias-gamma' }"},
      {"kind = 'rand-k'\nk = " + k + "\nthen = { kind = 'natural' }"},
      {"kind = 'rand-k'\nk = " + k + "\nthen = { kind = 'rand-k', k = 1 }"},
      {"kind = 'block'\nblocks = 3\nthen = { kind = 'sign' }"},
      {"kind = 'cyclic'\nthen = { kind = 'natural' }"},
      {"kind = 'trigonometric'\nthen = { kind = 'natural' }", true},
      {"kind = 'random-scalarizer'\nthen = { kind = 'one-bit' }", true},
      {"kind = 'top-k'\nk = " + k + "\nthen = { kind = 'top-k', k = 1, then = { kind = 'dithered', bits = 3 } }"},
  };
  if (P >= 10) {  // smaller matrices do not become shorter
    const std::string shape = "rank = 1\nshape = [2, " + std::to_string(P / 2) + "]\n";
    configs.push_back({"kind = 'power-sgd'\nshared = false\n" + shape});
    configs.push_back({.text = "kind = 'power-sgd'\n" + shape, .alone = false});
  }
  return configs;
}

inline std::unique_ptr<Compressor> compressor_of(const std::string& text) {
  Params p = Params::from_text(text, "exp.toml");
  auto c = make_compressor(p);
  p.require_all_read();
  return c;
}

// n workers of two replicas
inline std::vector<RowSpec> two_replicas(int64_t n) {
  std::vector<RowSpec> specs;
  for (int64_t r = 0; r < n; ++r)
    specs.push_back(
        {.seed = static_cast<uint64_t>(7 + r / ((n + 1) / 2)), .worker = static_cast<int32_t>(r % ((n + 1) / 2))});
  return specs;
}

inline RowKey key_of(const Rows& rows, int64_t r, int64_t slot) {
  return {.row = r, .seed = rows.spec(r).seed, .worker = rows.spec(r).worker, .step = slot};
}

}  // namespace orrery::test
