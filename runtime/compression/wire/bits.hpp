// Messages as bits: what every packer writes with and every unpacker reads with. The first bit of a message is the highest bit of its first
// byte; numbers come highest bit first; the last byte is filled up with zeros.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/compress_quantise.hpp"
#include "kernels/core/error.hpp"

namespace orrery::wire {

// bits that tell n values apart: ceil(log2 n), n >= 1
constexpr int64_t index_bits(int64_t n) {
  int64_t bits = 0;
  while ((int64_t{1} << bits) < n) ++bits;
  return bits;
}
constexpr int64_t whole_bytes(int64_t bits) { return (bits + 7) / 8; }

class BitWriter {
 public:
  void put(uint64_t value, int64_t bits) {  // the lowest `bits` of value, 0 to 64
    for (int64_t left = bits; left > 0;) {
      if (count_ % 8 == 0) bytes_.push_back(0);
      const int64_t room = 8 - count_ % 8, n = left < room ? left : room;
      const auto piece = static_cast<uint8_t>((value >> (left - n)) & ((uint64_t{1} << n) - 1));
      bytes_.back() = static_cast<uint8_t>(bytes_.back() | piece << (room - n));
      left -= n;
      count_ += n;
    }
  }
  // Elias' codes of n >= 1
  void gamma(uint64_t n) {
    const int log = detail::whole_log2(n);
    put(0, log);
    put(n, log + 1);
  }
  void omega(uint64_t n) {
    uint64_t group[8];
    int groups = 0;
    for (; n > 1; n = static_cast<uint64_t>(detail::whole_log2(n))) group[groups++] = n;
    while (groups-- > 0) put(group[groups], detail::whole_log2(group[groups]) + 1);
    put(0, 1);
  }
  void code(QuantiseRule::Code which, uint64_t n) { which == QuantiseRule::Code::omega ? omega(n) : gamma(n); }
  template <class T>
  void real(T x) {  // all bits of a float or double
    uint64_t word = 0;
    if constexpr (sizeof(T) == 4) {
      uint32_t half;
      std::memcpy(&half, &x, sizeof half);
      word = half;
    } else {
      std::memcpy(&word, &x, sizeof word);
    }
    put(word, int64_t{8} * sizeof(T));
  }

  int64_t bits() const { return count_; }
  const std::vector<uint8_t>& bytes() const { return bytes_; }  // whole_bytes(bits())

 private:
  std::vector<uint8_t> bytes_;
  int64_t count_ = 0;
};

class BitReader {
 public:
  explicit BitReader(const std::vector<uint8_t>& bytes) : bytes_(&bytes) {}

  uint64_t get(int64_t bits) {
    expects(at_ + bits <= 8 * static_cast<int64_t>(bytes_->size()), "a message as long as what is read of it");
    uint64_t value = 0;
    for (int64_t left = bits; left > 0;) {
      const int64_t room = 8 - at_ % 8, n = left < room ? left : room;
      const unsigned byte = (*bytes_)[static_cast<size_t>(at_ / 8)];
      value = value << n | ((byte >> (room - n)) & ((1u << n) - 1));
      left -= n;
      at_ += n;
    }
    return value;
  }
  bool flag() { return get(1) != 0; }
  uint64_t gamma() {
    int log = 0;
    while (!flag()) ++log;
    return uint64_t{1} << log | get(log);
  }
  uint64_t omega() {
    uint64_t n = 1;
    while (flag()) n = uint64_t{1} << n | get(static_cast<int64_t>(n));
    return n;
  }
  uint64_t code(QuantiseRule::Code which) { return which == QuantiseRule::Code::omega ? omega() : gamma(); }
  template <class T>
  T real() {
    const uint64_t word = get(int64_t{8} * sizeof(T));
    T x;
    if constexpr (sizeof(T) == 4) {
      const auto half = static_cast<uint32_t>(word);
      std::memcpy(&x, &half, sizeof x);
    } else {
      std::memcpy(&x, &word, sizeof x);
    }
    return x;
  }
  int64_t read() const { return at_; }  // bits

 private:
  const std::vector<uint8_t>* bytes_;
  int64_t at_ = 0;
};

}  // namespace orrery::wire
