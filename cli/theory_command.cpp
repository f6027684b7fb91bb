#include "cli/theory_command.hpp"

#include <fmt/format.h>

#include "runtime/run.hpp"
#include "runtime/theory/theory.hpp"

int theory_command(const orrery::Experiment& e, bool json) {
  const orrery::TheoryResult theory = orrery::theory_without_a_run(e);
  fmt::print("{}", json ? theory.json : theory.text);
  if (json) return 0;
  if (const std::string table = orrery::text(orrery::judge_theory(e, theory)); !table.empty())
    fmt::print("\n{}", table);
  return 0;
}
