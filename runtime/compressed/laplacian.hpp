// What differences between neighbours are weighted by: the Laplacian of unit weights, or I - W of the mixing matrix. Both symmetric.
#pragma once

#include "runtime/network/network.hpp"

namespace orrery {

Mixing laplacian_of(const Network&, bool unit);

// Throws ExperimentError "PLACE: ..." where W is not symmetric to 1e-12.
void check_symmetric(const Network&, const std::string& kind, const std::string& place);

}  // namespace orrery
