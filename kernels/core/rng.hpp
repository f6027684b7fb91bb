// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
//
//   key     = (low 32 bits of the seed, high 32 bits of the seed XOR purpose * 0x9E3779B9)
//   counter = (index / 4, worker, step low, step high)
//   draw i  = word i mod 4 of philox(key, counter)
//
// A draw depends on (seed, purpose, worker, step, index) and nothing else: not on the thread that asks, the order, the device or the
// number of rows beside it. Result: the same integers on both backends.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/core/backend.hpp"

namespace orrery {

struct PhiloxBlock {
  uint32_t word[4];
};

ORRERY_HD inline PhiloxBlock philox4x32_10(uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t k0,
                                           uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * c0, p1 = uint64_t{0xCD9E8D57u} * c2;
    const uint32_t hi0 = static_cast<uint32_t>(p0 >> 32), lo0 = static_cast<uint32_t>(p0);
    const uint32_t hi1 = static_cast<uint32_t>(p1 >> 32), lo1 = static_cast<uint32_t>(p1);
    c0 = hi1 ^ c1 ^ k0;
    c1 = lo1;
    c2 = hi0 ^ c3 ^ k1;
    c3 = lo0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// What a draw is for; part of the key, so that two purposes never share a stream. Numbers are stable: a new purpose goes at the end.
enum class Draw : uint32_t {
  minibatch = 1,
  rate = 2,
  gradient_noise = 3,
  initial = 4,
  partition = 5,
  grouping = 6,
  graph = 7,
  glyphs = 8,
  shuffle = 9,
  participation = 10,
  waiting = 11,
  mixture = 12,
  probe = 13,
  sign_zero = 14,
  vote_tie = 15,
  sign_noise = 16,
  attack = 17,
  attack_noise = 18,
  compression = 19,         // dither of quantisers
  compression_choice = 20,  // which coordinates a message holds
  compression_probe = 21,   // random directions that a message is projected on
  landscape = 30
};

struct Stream {
  uint32_t k0, k1, worker, step_low, step_high;

  ORRERY_HD Stream(uint64_t seed, Draw purpose, uint32_t worker_, uint64_t step)
      : k0(static_cast<uint32_t>(seed)),
        k1(static_cast<uint32_t>(seed >> 32) ^ (static_cast<uint32_t>(purpose) * 0x9E3779B9u)),
        worker(worker_),
        step_low(static_cast<uint32_t>(step)),
        step_high(static_cast<uint32_t>(step >> 32)) {}

  ORRERY_HD PhiloxBlock block(uint32_t b) const { return philox4x32_10(b, worker, step_low, step_high, k0, k1); }
  ORRERY_HD uint32_t bits(uint32_t index) const { return block(index >> 2).word[index & 3]; }

  // uniform on {0, ..., n-1}, n < 2^31; off by at most n / 2^32 in probability
  ORRERY_HD uint32_t below(uint32_t index, uint32_t n) const {
    return static_cast<uint32_t>((static_cast<uint64_t>(bits(index)) * n) >> 32);
  }
  // uniform on (0, 1), never 0 or 1: (bits + 1/2) / 2^32
  ORRERY_HD double uniform(uint32_t index) const { return (bits(index) + 0.5) * (1.0 / 4294967296.0); }
  // true with probability p; p >= 1 always, p <= 0 never
  ORRERY_HD bool bernoulli(uint32_t index, double p) const { return bits(index) < p * 4294967296.0; }
  // standard normal draw i by Box-Muller, two draws from two words (the same words on both backends; the transform to rounding)
  ORRERY_HD double normal(uint32_t index) const {
    const PhiloxBlock b = block(index >> 2);
    const uint32_t pair = index & 2u;
    const double angle = angle_of(b.word[pair + 1]);
    return radius_of(b.word[pair]) * ((index & 1u) ? sin(angle) : cos(angle));
  }
  // normal(4 b) ... normal(4 b + 3) from one block, at half the cost
  ORRERY_HD void four_normals(uint32_t b, double (&out)[4]) const {
    const PhiloxBlock words = block(b);
    for (int pair = 0; pair < 4; pair += 2) {
      const double radius = radius_of(words.word[pair]), angle = angle_of(words.word[pair + 1]);
      out[pair] = radius * cos(angle);
      out[pair + 1] = radius * sin(angle);
    }
  }

  ORRERY_HD static double radius_of(uint32_t word) { return sqrt(-2.0 * log((word + 0.5) * (1.0 / 4294967296.0))); }
  ORRERY_HD static double angle_of(uint32_t word) {
    return 6.283185307179586476925 * ((word + 0.5) * (1.0 / 4294967296.0));
  }
};

}  // namespace orrery
