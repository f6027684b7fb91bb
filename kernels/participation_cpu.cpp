#include "kernels/participation.hpp"

#include <vector>

namespace orrery::detail {

template <>
void draw_participants_impl<Backend::cpu>(const Context&, const ParticipationTable& t, VectorView<const uint64_t> seed,
                                          Slot slot, VectorView<uint32_t>, VectorView<uint8_t> present,
                                          VectorView<double> scale) {
  const int64_t now = slot.at().slot;
#pragma omp parallel
  {
    std::vector<uint64_t> drawn;
#pragma omp for schedule(static)
    for (int64_t k = 0; k < t.groups.nodes; ++k) {
      const int64_t begin = t.groups.begin[k], n = t.groups.begin[k + 1] - begin, count = t.count[k];
      const auto member = [&](int64_t m) { return t.groups.member[begin + m]; };
      draw_places(participation_stream(seed[member(0)], t.index[k], now / t.period[k]), n, count, drawn);
      for (int64_t m = 0; m < n; ++m) present[member(m)] = 0;
      for (const uint64_t m : drawn) present[member(static_cast<int64_t>(m))] = 1;
      double sum = 0;
      for (int64_t m = 0; m < n; ++m)
        if (present[member(m)]) sum += t.groups.weight[begin + m];
      const double factor = count == n ? 1.0 : 1.0 / sum;
      for (int64_t m = 0; m < n; ++m) scale[member(m)] = present[member(m)] ? factor : 0.0;
    }
  }
}

template <>
void scale_weights_impl<Backend::cpu>(const Context&, VectorView<const int64_t> member, VectorView<const double> weight,
                                      VectorView<const double> scale, VectorView<double> live) {
#pragma omp parallel for schedule(static)
  for (int64_t m = 0; m < member.size(); ++m) live[m] = weight[m] * scale[member[m]];
}

}  // namespace orrery::detail
