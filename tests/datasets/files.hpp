// Files that a test writes: a folder that goes when the test ends, IDX content, gzip.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "kernels/core/error.hpp"

namespace orrery::test {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "orrery-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string path(const std::string& name = "") const { return name.empty() ? path_ : path_ + "/" + name; }

 private:
  std::string path_;
};

// Sets or (null) unsets an environment variable until the end of the scope.
class Environment {
 public:
  Environment(const std::string& name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name.c_str())) {
      had_ = true;
      old_ = old;
    }
    value ? setenv(name.c_str(), value, 1) : unsetenv(name.c_str());
  }
  ~Environment() { had_ ? setenv(name_.c_str(), old_.c_str(), 1) : unsetenv(name_.c_str()); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::string name_, old_;
  bool had_ = false;
};

using Bytes = std::vector<uint8_t>;

inline Bytes idx(const std::vector<uint32_t>& header, const Bytes& content) {
  Bytes out;
  for (const uint32_t v : header)
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(v >> shift));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

inline void write_bytes(const std::string& path, const Bytes& content) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
}
inline void write_text(const std::string& path, const std::string& content) {
  write_bytes(path, Bytes(content.begin(), content.end()));
}
inline Bytes read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(in), {});
}
inline std::string read_text(const std::string& path) {
  const Bytes bytes = read_bytes(path);
  return {bytes.begin(), bytes.end()};
}
inline void write_gz(const std::string& path, const Bytes& content) {
  gzFile f = gzopen(path.c_str(), "wb");
  gzwrite(f, content.data(), static_cast<unsigned>(content.size()));
  gzclose(f);
}

// What the call complains about; "" (and a failure) where it does not throw E.
template <class E, class F>
std::string complaint(F&& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  } catch (const std::exception& e) {
    ADD_FAILURE() << "threw something else: " << e.what();
    return "";
  }
  ADD_FAILURE() << "did not throw";
  return "";
}

}  // namespace orrery::test
