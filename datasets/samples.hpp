// Parts of a set, whatever it is stored as.
#pragma once

#include "datasets/dataset.hpp"

namespace orrery {

void keep_first(Samples&, int64_t n);    // n <= count; memory beyond is given back
Samples take_last(Samples&, int64_t n);  // cuts the last n <= count off and returns them
int64_t stored_bytes(const Samples&);    // memory that the set takes
int64_t stored_values(const Samples&);   // count * features, or the entries of sparse rows

}  // namespace orrery
