// A matrix from a file: .npy (format 1 to 3; float, integer or bool, little endian, either order) or text (numbers
// separated by blanks, commas or semicolons, one row a line, '#' starts a comment). Returns rows; all have the same
// length.
// Throws ExperimentError where the file cannot be read, is truncated, is not two-dimensional or has ragged rows.
#pragma once

#include <string>
#include <vector>

namespace orrery {

std::vector<std::vector<double>> read_matrix(const std::string& path);

}  // namespace orrery
