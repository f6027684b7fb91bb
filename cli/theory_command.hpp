// `orrery theory FILE [--set key=value]... [--device D] [--json]`: bounds and predictions of every arm without a run.
#pragma once

#include "runtime/experiment.hpp"

// Prints the text, or with `json` what theory.json would say before a run; the exit code.
int theory_command(const orrery::Experiment&, bool json);
