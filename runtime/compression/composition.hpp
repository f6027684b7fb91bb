// C = B after A: the numbers of A's message go through B (digest: "scalarizer then scalar quantizer", and its kin for sparsifiers).
//
//   q = A^+ B(y),  y the m numbers that A sends of x,  A^+ what a receiver makes of m numbers
//   message   where A's numbers belong, then B's message of y
#pragma once

#include <memory>

#include "runtime/compression/compressor.hpp"

namespace orrery {

std::unique_ptr<Compressor> compose(std::unique_ptr<Compressor> outer, std::unique_ptr<Compressor> inner);

}  // namespace orrery
