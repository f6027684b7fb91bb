#include "datasets/gz_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "kernels/core/error.hpp"

namespace orrery {
namespace {

constexpr int64_t kChunk = int64_t{1} << 20;  // bytes decompressed at a time

[[noreturn]] void fail(const std::string& path, const std::string& wrong, const std::string& remedy) {
  throw DataError(fmt::format("{}: {}; {}", path, wrong, remedy));
}

}  // namespace

GzFile::GzFile(const std::string& path) : path_(path) {
  errno = 0;
  file_ = gzopen(path.c_str(), "rb");
  if (!file_)
    fail(path, fmt::format("cannot be opened ({})", std::strerror(errno)), "check the path and its permissions");
  gzbuffer(file_, 1 << 18);
}

int64_t GzFile::read(void* to, int64_t n) {
  int64_t done = 0;
  while (done < n) {
    errno = 0;
    const int got = gzread(file_, static_cast<uint8_t*>(to) + done, static_cast<unsigned>(std::min(n - done, kChunk)));
    if (got <= 0) {
      check();
      break;
    }
    done += got;
  }
  return done;
}

int64_t GzFile::count_rest() {
  std::vector<uint8_t> chunk(static_cast<size_t>(kChunk));
  int64_t total = 0;
  while (const int64_t got = read(chunk.data(), kChunk)) total += got;
  return total;
}

void GzFile::seek(int64_t offset) {
  if (gzseek(file_, static_cast<z_off_t>(offset), SEEK_SET) < 0)
    fail(path_, "cannot be read twice", "use a regular file");
}

void GzFile::check() {
  int code = Z_OK;
  const std::string text = gzerror(file_, &code);
  if (code == Z_OK || code == Z_STREAM_END) return;
  if (code == Z_ERRNO)
    fail(path_, fmt::format("cannot be read ({})", std::strerror(errno)), "check the path and the disk");
  if (code == Z_BUF_ERROR) fail(path_, "the compressed data is truncated", fetch_again);
  fail(path_, fmt::format("the compressed data is corrupt ({})", text.substr(text.rfind(": ") + 2)), fetch_again);
}

}  // namespace orrery
