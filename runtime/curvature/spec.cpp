#include "runtime/curvature/spec.hpp"

#include <fmt/format.h>

namespace orrery {

bool is_hessian_metric(const std::string& metric) {
  return metric.starts_with("hessian_") || metric.starts_with("worker_hessian_");
}

HessianSpec parse_hessian(Params p, int64_t record_every, bool models_have_data) {
  HessianSpec s;
  s.probes = p.integer("probes", s.probes, between(2, 1e6));
  s.samples = p.integer("samples", s.samples, between(0, 2147483647));
  if (s.samples > 0 && !models_have_data)
    p.fail("samples", "chooses among the workers' samples, and the model has no data; leave it out");
  s.every = p.integer("every", record_every, at_least(1));
  if (s.every % record_every != 0)
    p.fail("every", fmt::format("{} is no multiple of record.every = {}; give one, such as {}", s.every, record_every,
                                (s.every / record_every + 1) * record_every));
  s.lanczos_steps = p.integer("lanczos_steps", s.lanczos_steps, between(1, 1000));
  return s;
}

void mark_hessian_read(Params record) {
  record.mark_read("hessian");
  if (!record.is_table("hessian")) return;
  Params p = record.table("hessian");
  for (const char* key : {"probes", "samples", "every", "lanczos_steps"}) p.mark_read(key);
}

}  // namespace orrery
