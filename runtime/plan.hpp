// What a run will do and need, before it starts: launches, memory, schedule, bits.
#pragma once

#include <string>
#include <vector>

#include "runtime/population.hpp"

namespace orrery {

struct MemoryPlan {
  int64_t data = 0, banks = 0, tables = 0, workspace = 0;  // bytes on the device
  int64_t banks_in_use = 1;                                // matrices of (rows, P)
  int64_t results = 0;  // bytes on the host, kept to the end: final models of all launches with record.params
  int64_t total() const { return data + banks + tables + workspace; }
};

struct Launch {
  std::vector<int> arms;  // indices of arms whose rows run side by side
};
std::vector<Launch> plan_launches(const Experiment&);

// A sentence where the graph's mixing does not keep the weighted mean model, else "".
std::string drift_notice(const Arm&, const Network&);

MemoryPlan plan_memory(const Experiment&, const Population&, const Dataset*, Backend);

// Throws DeviceError where the banks of a launch alone, or the whole plan, need more than the device has free. The first is asked before
// anything of the launch's size is made.
void require_room(const Experiment&, const Launch&, const Dataset*, Backend, int ordinal);
void require_memory(const Experiment&, const MemoryPlan&, Backend, int ordinal, const Population&, int64_t parameters);

// The text of `orrery check`: per arm the schedule, memory, bits.
std::string describe_plan(const Experiment&);

}  // namespace orrery
