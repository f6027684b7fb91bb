#include "kernels/core/host_memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

namespace orrery {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The number behind `key` at the begin of a line.
std::optional<int64_t> value_of(const std::string& text, const std::string& key) {
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string name;
    int64_t value = 0;
    if (words >> name >> value && name == key) return value;
  }
  return std::nullopt;
}

// A file of one number; nullopt where it is absent or says "max".
std::optional<int64_t> number_in(const std::string& path) {
  std::ifstream in(path);
  int64_t value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

struct Names {  // of one version's files
  const char *limit, *use, *file_pages;
};
constexpr Names version_1{"/memory.limit_in_bytes", "/memory.usage_in_bytes", "total_inactive_file"};
constexpr Names version_2{"/memory.max", "/memory.current", "inactive_file"};
constexpr int64_t unbounded = int64_t{1} << 60;  // version 1 writes "no limit" as a number near 2^63

// The group at `path` below `mount` and all above it.
void take_bounds(const std::string& mount, std::string path, const Names& names, HostMemory& least) {
  for (;;) {
    const std::string folder = mount + (path == "/" ? "" : path);
    const auto limit = number_in(folder + names.limit), use = number_in(folder + names.use);
    if (limit && *limit < unbounded) {
      const int64_t pages = value_of(read_all(folder + "/memory.stat"), names.file_pages).value_or(0);
      least.total = std::min(least.total, *limit);
      least.free = std::min(least.free, std::max<int64_t>(0, *limit - std::max<int64_t>(0, use.value_or(0) - pages)));
    }
    if (path.empty() || path == "/") return;
    const auto slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

}  // namespace

std::optional<HostMemory> control_group_memory(const std::string& mount, const std::string& self) {
  constexpr int64_t none = std::numeric_limits<int64_t>::max();
  HostMemory least{none, none};
  // lines "number:controllers:path"; version 2 has number 0 and no controllers
  std::istringstream in(self);
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers(1, ',');
    controllers.append(line, first + 1, second - first - 1).append(1, ',');
    const std::string path = line.substr(second + 1);
    if (controllers == ",,") take_bounds(mount, path, version_2, least);
    if (controllers.find(",memory,") != std::string::npos) take_bounds(mount + "/memory", path, version_1, least);
  }
  return least.total == none ? std::nullopt : std::optional(least);
}

HostMemory host_memory() {
  const std::string info = read_all("/proc/meminfo");
  HostMemory m{value_of(info, "MemTotal:").value_or(0) * 1024, value_of(info, "MemAvailable:").value_or(0) * 1024};
  if (const auto bound = control_group_memory("/sys/fs/cgroup", read_all("/proc/self/cgroup")))
    m = {std::min(m.total, bound->total), std::min(m.free, bound->free)};
  return m;
}

}  // namespace orrery
