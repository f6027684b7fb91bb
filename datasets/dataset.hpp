// A data set: host arrays only, no CUDA. Images stay bytes; the kernels normalise while they gather (x = scale * byte + shift).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"
#include "kernels/core/registry.hpp"

namespace orrery {

// Sparse rows: row s holds value[i] at column[i], i = begin[s] .. begin[s+1]-1, columns ascending. A set of n rows has n + 1 begins.
struct SparseRows {
  std::vector<int64_t> begin;
  std::vector<int32_t> column;
  std::vector<float> value;
  bool empty() const { return begin.empty(); }
};

// n samples of d features. Exactly one of `bytes`, `values` (row-major (n,d)) and `sparse` is filled.
struct Samples {
  int64_t count = 0, features = 0;
  std::vector<uint8_t> bytes;
  std::vector<float> values;
  SparseRows sparse;
  std::vector<int32_t> labels;  // (n), in [0, classes)
};

struct Dataset {
  std::string name;    // as in the experiment file; the fallback's name where that was used
  std::string origin;  // folder that was read, or the generator with its seed
  int64_t features = 0;
  int classes = 0;
  int image_rows = 0, image_cols = 0;  // 0 where the features are no image
  Samples train, test;
  double scale = 1, shift = 0;  // x = scale * stored + shift: what `data.normalise` asks for
};

// One entry of [data] after parsing: every key is read and checked, no file is touched yet.
class DataSource {
 public:
  virtual ~DataSource() = default;
  // Reads or generates everything. Throws DataError (missing, truncated, corrupt, labels out of range).
  // notice: one sentence for the user where something else than what was asked for is used (data.fallback); else "".
  virtual Dataset load(std::string* notice) const = 0;
  virtual bool sparse() const { return false; }  // its samples are sparse rows
};

const Table<DataSource>& data_table();
// Reads [data]: name picks the entry; common keys path, limit_train, limit_test, normalise (unit | standard | none), fallback.
std::unique_ptr<DataSource> make_data_source(Params& data);

}  // namespace orrery
