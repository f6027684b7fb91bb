// An error in the network that names its key. Thrown while a network is built: parse_network turns it into "FILE:LINE:
// key: ..." where the file is at hand; later (weights that follow from the data, random graphs) it stands as it is.
#pragma once

#include <string>
#include <utility>

#include "kernels/core/error.hpp"

namespace orrery {

struct NetworkError : ExperimentError {
  NetworkError(std::string key_, std::string sentence_)  // key below [network], e.g. "graph.alpha"
      : ExperimentError("network." + key_ + ": " + sentence_), key(std::move(key_)), sentence(std::move(sentence_)) {}
  std::string key, sentence;
};

}  // namespace orrery
