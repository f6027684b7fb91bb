// IDX files, as MNIST and its relatives are published in: plain or gzip-compressed, unsigned bytes, big-endian integers.
//
//   images   magic 2051, count n, rows r, columns c (4 x int32), then n*r*c bytes, row-major
//   labels   magic 2049, count n (2 x int32), then n bytes
//
// Errors   DataError "FILE: what is wrong; what to do": magic, empty sizes, truncated, corrupt (CRC) or trailing content,
//          counts that differ, labels out of range. A header that promises more than 64 MiB is compared with what the file
//          really holds before memory is asked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datasets/dataset.hpp"

namespace orrery {

struct IdxImages {
  int64_t count = 0, rows = 0, cols = 0;
  std::vector<uint8_t> pixels;  // (count, rows*cols)
};

IdxImages read_idx_images(const std::string& path);
std::vector<uint8_t> read_idx_labels(const std::string& path);

struct IdxSamples {
  Samples samples;
  int64_t rows = 0, cols = 0;
};

// An image file with its label file. Stored labels first_label, ..., first_label + classes - 1 become 0, ...,
// classes - 1.
IdxSamples read_idx_samples(const std::string& images_path, const std::string& labels_path, int classes,
                            int first_label = 0);

}  // namespace orrery
