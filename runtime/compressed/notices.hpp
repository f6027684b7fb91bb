// What will not work, said before it is tried: one sentence each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/model.hpp"
#include "runtime/compressed/spec.hpp"
#include "runtime/experiment.hpp"

namespace orrery {

// The Euler step from which on the flow without compression grows: every mu of the spectrum of papers/st-compression.md 4.5 but the one at 0, which
// the sum of the dual states keeps at rest, needs |1 + s mu| < 1, so s < -2 Re mu / |mu|^2. Exact for quadratics of P (2 W)^3 up to 2.5e6 (P = 1
// where columns are alike); for larger ones, other objectives and consensus 2 / (alpha lambda_n). Absent where nothing can be said.
std::optional<double> euler_limit(const CompressedSpec&, const Network&, const std::optional<QuadraticRisk>&);

// Is that bound of the whole flow, gradients included?
bool euler_limit_is_exact(const CompressedSpec&, int64_t workers, const std::optional<QuadraticRisk>&);

std::vector<std::string> compressed_notices(const Arm&, const Network&, const BankShape&);

}  // namespace orrery
