// NumPy's .npy format, version 1.0: C order, float32 or float64, little endian.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace orrery {

struct NpyArray {
  std::vector<int64_t> shape;
  std::vector<double> values;  // row-major
};

// Throws DataError: missing, not .npy, Fortran order, another type, or a size that differs from the header's shape (checked before memory
// is asked for).
NpyArray read_npy(const std::string& path);

// Throws DataError where the file cannot be written whole (full disk).
void write_npy(const std::string& path, const std::vector<int64_t>& shape, const std::vector<float>& values);
void write_npy(const std::string& path, const std::vector<int64_t>& shape, const std::vector<double>& values);

}  // namespace orrery
