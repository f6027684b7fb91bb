#include "runtime/device_mixing.hpp"

namespace orrery {

DeviceMixing::DeviceMixing(const Context& ctx, const std::vector<const Mixing*>& mixing) {
  std::vector<int64_t> begin{0}, source;
  std::vector<double> weight;
  int64_t first_node = 0;
  for (const Mixing* m : mixing) {
    for (int64_t s : m->source) source.push_back(first_node + s);
    weight.insert(weight.end(), m->weight.begin(), m->weight.end());
    const int64_t before = begin.back();
    for (size_t d = 1; d < m->begin.size(); ++d) begin.push_back(before + m->begin[d]);
    first_node += m->nodes();
  }
  begin_ = Buffer<int64_t>(ctx, begin);
  source_ = Buffer<int64_t>(ctx, source);
  weight_ = Buffer<double>(ctx, weight);
}

}  // namespace orrery
