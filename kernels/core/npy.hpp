// NumPy's .npy format, version 1.0: C order, little endian.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace orrery {

struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<double> values;  // row-major
};

// float32 or float64. Throws DataError: missing, not .npy, Fortran order, another type, or a size that differs from the header's shape
// (checked before memory is asked for).
NpyArray read_npy(const std::string& path);

// As stored: kind 'f' (4 or 8 bytes), 'u' or 'i' (1, 2, 4 or 8 bytes).
struct NpyBytes {
  std::vector<int64_t> shape;
  char kind = 'f';
  int size = 8;                // bytes of one value
  std::vector<uint8_t> bytes;  // row-major

  int64_t count() const { return static_cast<int64_t>(bytes.size()) / size; }
  double number(int64_t i) const;    // rounded where an integer has more than 53 bits
  int64_t integer(int64_t i) const;  // kinds 'u' and 'i'; unsigned values of 2^63 and more come out as the largest
};

// kinds: those that are wanted, "f", "ui" or "fui". Errors as read_npy.
NpyBytes read_npy_bytes(const std::string& path, const std::string& kinds);

// Throws DataError where the file cannot be written whole (full disk).
void write_npy(const std::string& path, const std::vector<int64_t>& shape, const std::vector<float>& values);
void write_npy(const std::string& path, const std::vector<int64_t>& shape, const std::vector<double>& values);

}  // namespace orrery
