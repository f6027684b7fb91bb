#include "datasets/sha256.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <fstream>
#include <memory>
#include <vector>

#include "datasets/gz_file.hpp"
#include "kernels/core/error.hpp"

namespace orrery {
namespace {

// read(buffer, n): up to n bytes, 0 at the end.
template <class Read>
std::string digest(Read&& read) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  expects(context && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1, "SHA-256 from libcrypto");
  std::vector<char> chunk(size_t{1} << 20);
  while (const int64_t got = read(chunk.data(), static_cast<int64_t>(chunk.size())))
    EVP_DigestUpdate(context.get(), chunk.data(), static_cast<size_t>(got));
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), out, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", out[i]);
  return hex;
}

}  // namespace

std::string sha256_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw DataError(fmt::format("{}: cannot be opened; check the path and its permissions", path));
  return digest([&](char* to, int64_t n) {
    in.read(to, n);
    if (in.bad()) throw DataError(fmt::format("{}: cannot be read; check the disk", path));
    return static_cast<int64_t>(in.gcount());
  });
}

std::string sha256_of_content(const std::string& path) {
  GzFile file(path);
  return digest([&](char* to, int64_t n) { return file.read(to, n); });
}

}  // namespace orrery
