// Messages of quantisers (kernels/compress_quantise.hpp has the levels), P numbers of a row, b bits of a float or double.
//
//   sign     the scale (b); P bits: is x_j negative.  Where zeros stand among other numbers the scale's sign bit is set, and follow P bits: is x_j
//            zero, then a bit for each of the others: is it negative
//   levels   the scale (b); then for every coordinate, fixed: its sign (1) and level (ceil log2(s + 1)); Elias: the code of l + 1, and, where l > 0,
//            its sign (1)
//   grid     for every coordinate Elias' code of 2 l + 1, or of -2 l below zero
//   natural  for every coordinate its sign (1) and exponent as IEEE 754 stores it (8, in double 11)
#pragma once

#include "runtime/compression/compressor.hpp"

namespace orrery::wire {

int64_t fixed_bits(const QuantiseRule&, int64_t P, int64_t real_bits);
bool is_counted(const QuantiseRule&);

template <class T>
void pack_levels(const QuantiseRule&, const RowKey&, const T* x, int64_t P, BitWriter&);
template <class T>
void unpack_levels(const QuantiseRule&, const RowKey&, BitReader&, T* q, int64_t P);

}  // namespace orrery::wire
