// Where the files of a data set are looked for.
//
//   data.path, where it is given; else for each folder name of the set
//   $ORRERY_DATA/<name>, then $XDG_CACHE_HOME/orrery/<name> or, where that is not set, ~/.cache/orrery/<name>
#pragma once

#include <string>
#include <vector>

#include "kernels/core/error.hpp"

namespace orrery {

// The files are in none of the folders; the only error after which data.fallback is used.
struct MissingData : DataError {
  using DataError::DataError;
};

std::vector<std::string> data_folders(const std::string& path, const std::vector<std::string>& names);

// The first of the names that is a file in the folder, plain or with ".gz"; "" where none is.
std::string find_data_file(const std::string& folder, const std::vector<std::string>& names);

// "fashion-mnist: files not found in A, B; copy ...": names every folder that was tried. fetched: the name for
// `orrery data fetch`, where it is one of those.
[[noreturn]] void fail_missing_data(const std::string& name, const std::vector<std::string>& folders,
                                    const std::string& files, const std::string& fetched);

}  // namespace orrery
