// Memory of the host: what the machine has, and what this process may still take of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace orrery {

struct HostMemory {
  int64_t total = 0, free = 0;  // bytes
};
// MemTotal and MemAvailable of /proc/meminfo, both bounded by the control groups that the process is in (containers, batch systems).
HostMemory host_memory();

// The bounds of the control groups, version 1 or 2: the smallest limit, and the smallest (limit - use) of the own group and those above
// it, where pages of files that the kernel would give back count as free. nullopt where nothing is bounded.
//   mount   where the groups are mounted, /sys/fs/cgroup       self   the text of /proc/self/cgroup
std::optional<HostMemory> control_group_memory(const std::string& mount, const std::string& self);

}  // namespace orrery
