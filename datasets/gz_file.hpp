// A file read through zlib, which passes what is not compressed as it is.
//
// Errors   DataError "FILE: what is wrong; what to do": cannot be opened or read, truncated or corrupt (CRC) compressed data.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>

namespace orrery {

class GzFile {
 public:
  static constexpr const char* fetch_again = "fetch the file again";

  explicit GzFile(const std::string& path);
  ~GzFile() { gzclose(file_); }
  GzFile(const GzFile&) = delete;
  GzFile& operator=(const GzFile&) = delete;

  int64_t read(void* to, int64_t n);  // up to n bytes; fewer only at the end
  int64_t count_rest();               // bytes from here to the end, kept nowhere
  void seek(int64_t offset);          // in uncompressed bytes from the beginning

 private:
  void check();  // throws where the last read failed
  std::string path_;
  gzFile file_ = nullptr;
};

}  // namespace orrery
