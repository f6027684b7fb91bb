#include "runtime/network/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/network/graph.hpp"
#include "runtime/network/mixing.hpp"
#include "runtime/network/network_error.hpp"
#include "runtime/network/spectrum.hpp"
#include "runtime/network/tree.hpp"

namespace orrery {
namespace {

std::vector<double> unscaled_weights(const NetworkSpec& spec, const std::vector<int64_t>& samples) {
  if (spec.weights == NetworkSpec::Weights::equal) return std::vector<double>(spec.workers, 1.0);
  if (spec.weights == NetworkSpec::Weights::given) return spec.given_weights;
  expects(static_cast<int64_t>(samples.size()) == spec.workers, "the number of samples of every worker");
  return {samples.begin(), samples.end()};
}

}  // namespace

Network::Network(const NetworkSpec& spec, uint64_t seed, const std::vector<int64_t>& samples) : spec_(&spec) {
  // Worker weights
  const std::vector<double> w = unscaled_weights(spec, samples);
  expects(static_cast<int64_t>(w.size()) == spec.workers, "one weight for every worker");
  double total = 0;
  for (const double x : w) total += x;
  if (!(total > 0))
    throw NetworkError("weights", "all weights are zero; give at least one worker a positive weight (or samples)");
  for (const double x : w) a_.push_back(x / total);

  // Tiers
  tiers_ = make_tiers(spec, seed, w, a_);
  top_ = tiers_.empty() ? every_worker_alone(a_) : tiers_.back();

  // Drawn workers must weigh something, whoever they are
  if (!spec.participants.empty())
    for (size_t i = 0; i < a_.size(); ++i)
      if (!(a_[i] > 0))
        throw NetworkError(
            "participation",
            fmt::format("worker {} has weight zero and could be the only one drawn of its group; give every "
                        "worker a positive weight, or leave participation out",
                        i));

  // Graph among the top nodes
  if (!spec.graph) return;
  for (int64_t d = 0; d < top_.nodes(); ++d)
    if (!(top_.mass[d] > 0))
      throw NetworkError(
          "weights", fmt::format("worker {} is a node of the graph and has weight zero; give it a positive weight", d));
  const Graph graph = make_graph(*spec.graph, top_.nodes(), seed);
  edges_ = graph.edges;
  mixing_ = make_mixing(*spec.graph, graph, top_.mass);
}

double Network::drift() const {
  double largest = 0;
  for (const Mixing& m : mixing_) {
    std::vector<double> hb(top_.mass.size());
    for (int64_t d = 0; d < m.nodes(); ++d)
      for (int64_t k = m.begin[d]; k < m.begin[d + 1]; ++k) hb[m.source[k]] += m.weight[k] * top_.mass[d];
    for (size_t j = 0; j < hb.size(); ++j) largest = std::max(largest, std::abs(hb[j] - top_.mass[j]));
  }
  return largest;
}

double Network::zeta() const {
  if (mixing_.empty() || top_.nodes() == 1) return 0;
  return spectrum(mixing_.front(), top_.mass).zeta;
}

}  // namespace orrery
