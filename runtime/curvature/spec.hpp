// The section [record.hessian]: how the traces and largest eigenvalues of Hessians are taken.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/core/params.hpp"

namespace orrery {

struct HessianSpec {
  int64_t probes = 100;        // of a trace; exact where there are no more parameters
  int64_t samples = 0;         // of every worker, evenly spread over its list; 0: all
  int64_t every = 1;           // local steps between the points where the metrics are taken, step 0 and the last beside
  int64_t lanczos_steps = 30;  // products of an eigenvalue, at most

  bool taken(int64_t step, int64_t last) const { return step % every == 0 || step == last; }
};

bool is_hessian_metric(const std::string& metric);
constexpr int64_t most_hessian_workers = 8;  // whose own models worker_hessian_... looks at

// every: record.every, of which `every` must be a multiple
HessianSpec parse_hessian(Params hessian, int64_t record_every, bool models_have_data);
void mark_hessian_read(Params record);  // in arms beside the first, where the section is read already

}  // namespace orrery
