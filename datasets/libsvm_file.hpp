// LIBSVM text, plain or gzip-compressed: one sample a line,
//
//   label index:value index:value ...   # comment
//
// label any finite number, indices from 1 in strictly ascending order, values finite; a line with a label alone is a
// sample of zeros; lines of blanks or a comment alone are passed over.
//
// Shapes   sparse rows, column = index - 1; entries with value 0 are not stored, but their index counts for `features`.
// Errors   DataError "FILE:LINE: what is wrong; what to do".
// Cost     one pass, the text is never held whole; about 10 ns a byte, decompression included.
#pragma once

#include <string>
#include <vector>

#include "datasets/dataset.hpp"

namespace orrery {

struct LibsvmFile {
  Samples samples;                // features = the largest index; labels = places in `labels`
  std::vector<double> labels;     // the one or two distinct labels of this file, ascending
  std::vector<int64_t> label_at;  // the line that each was first seen at
};

// features: indices above it are an error; 0: none is.
LibsvmFile read_libsvm(const std::string& path, int64_t features = 0);

}  // namespace orrery
