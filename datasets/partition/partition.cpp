// The table of partitions, and a partition as a file:
//
//   orrery-partition 1
//   workers W
//   samples n
//   layout disjoint | shared
//   hash 16 hex digits
//   disjoint: W lines, line w with the samples of worker w; shared: one line with the order that all workers share
#include "datasets/partition/partition.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace orrery {

#define ORRERY_ENTRY(x) extern const Entry<Partitioner> x;
namespace partition {
#include "partition.inc"
}  // namespace partition
#undef ORRERY_ENTRY

const Table<Partitioner>& partition_table() {
#define ORRERY_ENTRY(x) &partition::x,
  static const Table<Partitioner> table{
#include "partition.inc"
  };
#undef ORRERY_ENTRY
  return table;
}

PartitionSpec make_partition(Params& p) {
  p.text("kind", "iid");
  PartitionSpec spec;
  spec.partitioner = make(partition_table(), p, "kind");
  if (p.has("seed")) spec.seed = static_cast<uint64_t>(p.integer("seed", std::nullopt, at_least(0)));
  return spec;
}

namespace {

constexpr const char* kMagic = "orrery-partition 1";
constexpr int64_t kMaxWorkers = 10'000'000;

// FNV-1a with 64 bits, fed with numbers, low byte first. Each step is one to one: two inputs that differ in
// one number differ in their hash.
class Fnv {
 public:
  void add(uint64_t v, int bytes) {
    for (int i = 0; i < bytes; ++i) hash_ = (hash_ ^ (v >> (8 * i) & 255u)) * 0x100000001B3u;
  }
  std::string hex() const { return fmt::format("{:016x}", hash_); }

 private:
  uint64_t hash_ = 0xCBF29CE484222325u;
};

bool is_shared(const Partition& p) {
  const auto n = static_cast<int64_t>(p.order.size());
  for (size_t w = 0; w < p.size.size(); ++w)
    if (p.begin[w] != 0 || p.size[w] != n) return false;
  return true;
}

bool is_consecutive(const Partition& p) {
  int64_t at = 0;
  for (size_t w = 0; w < p.size.size(); ++w) {
    if (p.begin[w] != at) return false;
    at += p.size[w];
  }
  return at == static_cast<int64_t>(p.order.size());
}

// Reads a partition file line by line; every complaint names the line.
class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), in_(path) {
    if (!in_)
      throw DataError(fmt::format("{}: cannot be opened ({}); check partition.path", path, std::strerror(errno)));
  }
  [[noreturn]] void fail(const std::string& wrong) const {
    throw DataError(fmt::format("{}:{}: {}; write the partition again", path_, line_, wrong));
  }
  std::string next(const std::string& wanted) {
    std::string text;
    ++line_;
    if (!std::getline(in_, text) || in_.eof()) fail(fmt::format("the file ends where {} should stand", wanted));
    return text;
  }
  std::string field(const std::string& key) {
    const std::string text = next(fmt::format("\"{} ...\"", key));
    if (!text.starts_with(key + " "))
      fail(fmt::format("\"{}\" where \"{} ...\" should stand", text.substr(0, 40), key));
    return text.substr(key.size() + 1);
  }
  int64_t number(const std::string& key, int64_t low, int64_t high) {
    const std::string text = field(key);
    int64_t v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (error != std::errc() || end != text.data() + text.size() || v < low || v > high)
      fail(fmt::format("{} is \"{}\", not a number from {} to {}", key, text.substr(0, 40), low, high));
    return v;
  }
  // Appends the samples of one line; each below n and none of them seen before.
  int64_t samples(const std::string& wanted, std::vector<char>& seen, std::vector<int32_t>& order) {
    const std::string text = next(wanted);
    const char *at = text.data(), *end = at + text.size();
    int64_t count = 0;
    while (at != end) {
      int64_t v = 0;
      const auto [stop, error] = std::from_chars(at, end, v);
      if (error != std::errc() || (stop != end && *stop != ' '))
        fail(fmt::format("\"{}\" is not a sample number", std::string(at, std::find(at, end, ' ')).substr(0, 40)));
      if (v < 0 || v >= static_cast<int64_t>(seen.size()))
        fail(fmt::format("sample {} is outside 0..{}", v, seen.size() - 1));
      if (seen[v]) fail(fmt::format("sample {} stands here for the second time", v));
      seen[v] = 1;
      order.push_back(static_cast<int32_t>(v));
      ++count;
      at = stop == end ? stop : stop + 1;
    }
    if (count == 0) fail("no samples in this line");
    return count;
  }
  void end() {
    ++line_;
    if (in_.peek() != std::ifstream::traits_type::eof()) fail("text after the end of the partition");
  }

 private:
  std::string path_;
  std::ifstream in_;
  int64_t line_ = 0;
};

}  // namespace

std::string Partition::hash() const {
  Fnv fnv;
  fnv.add(size.size(), 8);
  fnv.add(order.size(), 8);
  for (const int64_t b : begin) fnv.add(static_cast<uint64_t>(b), 8);
  for (const int64_t s : size) fnv.add(static_cast<uint64_t>(s), 8);
  for (const int32_t i : order) fnv.add(static_cast<uint32_t>(i), 4);
  return fnv.hex();
}

void Partition::write(const std::string& path) const {
  const bool consecutive = is_consecutive(*this);
  expects(consecutive || is_shared(*this), "workers that hold consecutive parts of the order, or all of it");
  fmt::memory_buffer out;
  fmt::format_to(std::back_inserter(out), "{}\nworkers {}\nsamples {}\nlayout {}\nhash {}\n", kMagic, workers(),
                 order.size(), consecutive ? "disjoint" : "shared", hash());
  for (int64_t w = 0; w < (consecutive ? workers() : 1); ++w) {
    for (int64_t i = 0; i < size[w]; ++i)
      fmt::format_to(std::back_inserter(out), "{}{}", i > 0 ? " " : "", order[begin[w] + i]);
    out.push_back('\n');
  }

  // Written beside its place and renamed: a reader sees the whole file or none.
  const std::string temporary = fmt::format("{}.{}.tmp", path, getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  bool good = file && std::fwrite(out.data(), 1, out.size(), file) == out.size();
  int error = errno;
  if (file && std::fclose(file) != 0) {
    if (good) error = errno;
    good = false;
  }
  if (good && std::rename(temporary.c_str(), path.c_str()) != 0) {
    error = errno;
    good = false;
  }
  if (!good) {
    if (file) std::remove(temporary.c_str());
    throw DataError(fmt::format("{}: cannot be written ({}); check the folder and the space on its disk", path,
                                std::strerror(error)));
  }
}

Partition Partition::read(const std::string& path, int64_t samples) {
  Reader in(path);
  if (in.next("the first line of a partition") != kMagic) in.fail(fmt::format("the first line is not \"{}\"", kMagic));
  const int64_t workers = in.number("workers", 1, kMaxWorkers);
  const int64_t n = in.number("samples", 1, INT32_MAX);
  if (n != samples)
    throw DataError(fmt::format(
        "{}:3: holds a partition of {} samples, but the training set has {}; use the data set and limits that it "
        "was written for",
        path, n, samples));
  const std::string layout = in.field("layout");
  if (layout != "disjoint" && layout != "shared")
    in.fail(fmt::format("layout \"{}\" is neither disjoint nor shared", layout.substr(0, 40)));
  if (layout == "disjoint" && workers > n)
    in.fail(fmt::format("{} workers cannot hold parts of {} samples", workers, n));
  const std::string hash = in.field("hash");

  Partition p;
  std::vector<char> seen(static_cast<size_t>(n), 0);
  const int64_t lines = layout == "shared" ? 1 : workers;
  for (int64_t w = 0; w < lines; ++w) {
    const auto first = static_cast<int64_t>(p.order.size());
    const int64_t count = in.samples(fmt::format("the samples of worker {}", w), seen, p.order);
    p.begin.push_back(first);
    p.size.push_back(count);
  }
  if (const auto gap = std::find(seen.begin(), seen.end(), 0); gap != seen.end())
    in.fail(fmt::format("sample {} is in no line", gap - seen.begin()));
  in.end();
  if (layout == "shared") {
    p.begin.assign(static_cast<size_t>(workers), 0);
    p.size.assign(static_cast<size_t>(workers), n);
  }
  if (p.hash() != hash)
    throw DataError(fmt::format("{}:5: the hash is \"{}\", but the content has {}; write the partition again", path,
                                hash.substr(0, 40), p.hash()));
  return p;
}

}  // namespace orrery
