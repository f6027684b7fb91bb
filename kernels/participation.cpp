#include "kernels/participation.hpp"

namespace orrery {

void draw_participants(const Context& ctx, const ParticipationTable& t, VectorView<const uint64_t> seed, Slot slot,
                       VectorView<uint32_t> words, VectorView<uint8_t> present, VectorView<double> scale) {
  const int64_t nodes = t.groups.nodes;
  if (nodes == 0) return;
  expects(t.groups.begin.size() == nodes + 1 && t.count.size() == nodes && t.period.size() == nodes &&
              t.index.size() == nodes,
          "a count, a period and an index for every group");
  expects(words.size() == seed.size() && present.size() == seed.size() && scale.size() == seed.size(),
          "words, present and scale of shape (rows)");
  expects(seed.where() == ctx.backend && present.where() == ctx.backend && t.count.where() == ctx.backend,
          "the table and the rows on the context's side");
  dispatch(ctx.backend,
           [&]<Backend B>() { detail::draw_participants_impl<B>(ctx, t, seed, slot, words, present, scale); });
}

void scale_weights(const Context& ctx, VectorView<const int64_t> member, VectorView<const double> weight,
                   VectorView<const double> scale, VectorView<double> live) {
  expects(member.size() == weight.size() && live.size() == weight.size(), "a weight for every member");
  if (member.size() == 0) return;
  expects(member.where() == ctx.backend && live.where() == ctx.backend, "the table on the context's side");
  dispatch(ctx.backend, [&]<Backend B>() { detail::scale_weights_impl<B>(ctx, member, weight, scale, live); });
}

}  // namespace orrery
