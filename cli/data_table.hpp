// What `orrery data inspect` prints.
#pragma once

#include <string>

#include "datasets/dataset.hpp"

namespace orrery {

// Counts, labels, sparsity, mean and deviation of the stored values, memory. Lines that end with '\n'.
std::string describe_dataset(const Dataset&);

}  // namespace orrery
