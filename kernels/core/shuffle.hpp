// A pseudo-random permutation of {0, ..., n-1} without memory: place i of pass `pass` of one worker, as in shuffled epochs.
//
//   Feistel network of 8 rounds over 2b bits, 4^b >= n the smallest; a result >= n is sent through again ("cycle walking": Black and
//   Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). Round keys are words of Philox(seed, shuffle; worker, pass).
//
// Result   integers: the same on both backends, in any order of asking. For each (seed, worker, pass) a bijection. n <= 2^30.
// Cost     2 Philox blocks and on average at most 4 walks of 8 rounds of 4 integer operations.
#pragma once

#include "kernels/core/rng.hpp"

namespace orrery {

// one permutation, its round keys drawn once; from the words of any stream
class Permutation {
 public:
  ORRERY_HD Permutation(const Stream& keys, uint32_t n) : n_(n) {
    while ((uint64_t{1} << (2 * half_)) < n) ++half_;
    k_[0] = keys.block(0), k_[1] = keys.block(1);
  }
  ORRERY_HD uint32_t operator()(uint32_t i) const {
    if (n_ < 2) return 0;
    const uint32_t mask = (1u << half_) - 1;
    uint32_t x = i;
    do {
      uint32_t left = x >> half_, right = x & mask;
      for (int round = 0; round < 8; ++round) {
        uint32_t h = (right + 1) * 0x9E3779B1u ^ k_[round >> 2].word[round & 3];
        h = (h ^ (h >> 15)) * 0x85EBCA6Bu;
        h = (h ^ (h >> 13)) * 0xC2B2AE35u;
        const uint32_t next = left ^ ((h ^ (h >> 16)) & mask);
        left = right;
        right = next;
      }
      x = (left << half_) | right;
    } while (x >= n_);
    return x;
  }

 private:
  uint32_t n_;
  int half_ = 1;  // b
  PhiloxBlock k_[2];
};

ORRERY_HD inline uint32_t shuffled(uint64_t seed, uint32_t worker, uint64_t pass, uint32_t i, uint32_t n) {
  return Permutation(Stream(seed, Draw::shuffle, worker, pass), n)(i);
}

}  // namespace orrery
