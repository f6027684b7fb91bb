#include "cli/theory_command.hpp"

#include <fmt/format.h>

#include "runtime/theory/theory.hpp"

int theory_command(const orrery::Experiment& e, bool json) {
  const orrery::TheoryResult theory = orrery::theory_without_a_run(e);
  fmt::print("{}", json ? theory.json : theory.text);
  return 0;
}
