#include "datasets/idx.hpp"

#include <fmt/format.h>

#include "datasets/gz_file.hpp"

namespace orrery {
namespace {

constexpr const char* kFetchAgain = GzFile::fetch_again;
constexpr int64_t kTrustedSize = int64_t{64} << 20;  // a promise up to here is allocated before the file is read
constexpr uint32_t kMagicImages = 2051, kMagicLabels = 2049;

[[noreturn]] void fail(const std::string& path, const std::string& wrong, const std::string& remedy) {
  throw DataError(fmt::format("{}: {}; {}", path, wrong, remedy));
}

uint32_t big_endian(const uint8_t* b) {
  return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | uint32_t{b[3]};
}

std::string describe(uint32_t magic) {
  if (magic == kMagicImages) return fmt::format("magic number {}, a file of images", magic);
  if (magic == kMagicLabels) return fmt::format("magic number {}, a file of labels", magic);
  if (magic >> 16 == 0 && (magic & 0xff) > 0)
    return fmt::format("magic number {} (type 0x{:02x}, {} dimensions)", magic, magic >> 8, magic & 0xff);
  return fmt::format("magic number {}, which is no IDX file", magic);
}

// Header and content of an IDX file of `dimensions` dimensions.
struct Idx {
  std::vector<int64_t> extent;
  std::vector<uint8_t> bytes;
};

Idx read_idx(const std::string& path, uint32_t magic) {
  GzFile file(path);
  const int dimensions = static_cast<int>(magic & 0xff);

  // The header.
  uint8_t header[16];
  const int64_t header_size = 4 + 4 * dimensions;
  const int64_t got = file.read(header, header_size);
  if (got == 0) fail(path, "is empty", kFetchAgain);
  if (got >= 4 && big_endian(header) != magic)
    fail(path, fmt::format("has {}, where {} is needed", describe(big_endian(header)), describe(magic)),
         "check that images and labels are not swapped and that the file is the published one");
  if (got < header_size)
    fail(path, fmt::format("ends inside its header, after {} of {} bytes", got, header_size), kFetchAgain);

  Idx idx;
  unsigned __int128 promised = 1;  // three 32-bit extents pass 64 bits
  std::string shape;
  for (int d = 0; d < dimensions; ++d) {
    idx.extent.push_back(big_endian(header + 4 + 4 * d));
    promised *= static_cast<unsigned __int128>(idx.extent.back());
    shape += fmt::format("{}{}", d > 0 ? " x " : "", idx.extent.back());
  }
  if (promised == 0) fail(path, fmt::format("has size {}, which holds nothing", shape), kFetchAgain);

  // What is promised must be there: counted first where much is promised, then read.
  auto mismatch = [&](int64_t held) {
    fail(path, fmt::format("the header promises {} = {} bytes, but the file holds {}", shape, promised, held),
         kFetchAgain);
  };
  if (promised > kTrustedSize) {
    const int64_t held = file.count_rest();
    if (promised != static_cast<unsigned __int128>(held)) mismatch(held);
    file.seek(header_size);
  }
  idx.bytes.resize(static_cast<size_t>(promised));
  const int64_t held = file.read(idx.bytes.data(), static_cast<int64_t>(promised));
  const int64_t beyond = file.count_rest();  // also reaches the checksum at the end of a gzip stream
  if (held + beyond != static_cast<int64_t>(promised)) mismatch(held + beyond);
  return idx;
}

}  // namespace

IdxImages read_idx_images(const std::string& path) {
  Idx idx = read_idx(path, kMagicImages);
  return {idx.extent[0], idx.extent[1], idx.extent[2], std::move(idx.bytes)};
}

std::vector<uint8_t> read_idx_labels(const std::string& path) { return read_idx(path, kMagicLabels).bytes; }

IdxSamples read_idx_samples(const std::string& images_path, const std::string& labels_path, int classes,
                            int first_label) {
  const std::vector<uint8_t> labels = read_idx_labels(labels_path);
  IdxImages images = read_idx_images(images_path);
  if (images.count != static_cast<int64_t>(labels.size()))
    fail(labels_path, fmt::format("holds {} labels for the {} images of {}", labels.size(), images.count, images_path),
         "take both files from the same set");

  IdxSamples out;
  out.rows = images.rows;
  out.cols = images.cols;
  out.samples.count = images.count;
  out.samples.features = images.rows * images.cols;
  out.samples.bytes = std::move(images.pixels);
  out.samples.labels.reserve(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    const int label = labels[i] - first_label;
    if (label < 0 || label >= classes)
      fail(labels_path,
           fmt::format("label {} of sample {} is outside {}..{}", labels[i], i, first_label, first_label + classes - 1),
           kFetchAgain);
    out.samples.labels.push_back(label);
  }
  return out;
}

}  // namespace orrery
