// The shapes of the ten classes: control points in [-1,1]^2, x to the right, y downwards.
// Several variants a class, as people write.
#include "datasets/glyphs.hpp"

namespace orrery::detail {
namespace {

constexpr bool kRound = true, kStraight = false;

const std::vector<std::vector<GlyphShape>> kShapes{
    // 0: an oval, wide or narrow, one with a stroke through it
    {{{{{0, -.9f}, {.42f, -.6f}, {.5f, 0}, {.42f, .6f}, {0, .9f}, {-.42f, .6f}, {-.5f, 0}, {-.42f, -.6f}, {0, -.9f}},
       kRound}},
     {{{{.1f, -.9f}, {.35f, -.4f}, {.25f, .5f}, {-.1f, .9f}, {-.35f, .4f}, {-.25f, -.5f}, {.1f, -.9f}}, kRound}},
     {{{{0, -.8f}, {.5f, -.4f}, {.5f, .4f}, {0, .8f}, {-.5f, .4f}, {-.5f, -.4f}, {0, -.8f}}, kRound},
      {{{.3f, -.4f}, {-.3f, .4f}}, kStraight}}},
    // 1: a line, with flag, with flag and foot
    {{{{{0, -.9f}, {0, .9f}}, kStraight}},
     {{{{-.3f, -.5f}, {.05f, -.9f}, {.05f, .9f}}, kStraight}},
     {{{{-.35f, -.55f}, {0, -.9f}, {0, .85f}}, kStraight}, {{{-.4f, .87f}, {.4f, .87f}}, kStraight}}},
    // 2: with a straight foot, with a loop
    {{{{{-.5f, -.5f}, {-.2f, -.88f}, {.3f, -.82f}, {.45f, -.4f}, {.05f, .2f}, {-.5f, .85f}}, kRound},
      {{{-.5f, .85f}, {.55f, .85f}}, kStraight}},
     {{{{-.45f, -.6f}, {0, -.9f}, {.4f, -.5f}, {.1f, .2f}, {-.35f, .75f}, {-.45f, .4f}, {0, .6f}, {.55f, .8f}},
       kRound}}},
    // 3: two bows; one with a straight top
    {{{{{-.45f, -.7f}, {0, -.9f}, {.42f, -.5f}, {-.05f, -.05f}}, kRound},
      {{{-.05f, -.05f}, {.5f, .3f}, {.15f, .88f}, {-.5f, .65f}}, kRound}},
     {{{{-.45f, -.85f}, {.45f, -.85f}, {-.02f, -.15f}}, kStraight},
      {{{-.02f, -.15f}, {.48f, .25f}, {.1f, .88f}, {-.5f, .7f}}, kRound}}},
    // 4: open, closed
    {{{{{-.35f, -.85f}, {-.5f, .15f}, {.55f, .15f}}, kStraight}, {{{.25f, -.5f}, {.2f, .9f}}, kStraight}},
     {{{{.2f, .9f}, {.2f, -.9f}, {-.55f, .3f}, {.55f, .3f}}, kStraight}}},
    // 5: with corners, in one bow
    {{{{{.48f, -.85f}, {-.35f, -.85f}, {-.42f, -.1f}}, kStraight},
      {{{-.42f, -.1f}, {.1f, -.22f}, {.5f, .28f}, {.1f, .86f}, {-.5f, .68f}}, kRound}},
     {{{{.5f, -.85f}, {-.1f, -.8f}, {-.4f, -.4f}, {.1f, -.1f}, {.45f, .35f}, {.05f, .86f}, {-.45f, .75f}}, kRound}}},
    // 6: with a bent stem, with a straight one
    {{{{{.4f, -.85f}, {-.2f, -.5f}, {-.48f, .3f}, {-.1f, .88f}, {.42f, .5f}, {.1f, .05f}, {-.4f, .35f}}, kRound}},
     {{{{.2f, -.9f}, {-.4f, .3f}}, kStraight},
      {{{-.4f, .3f}, {-.25f, .8f}, {.25f, .8f}, {.38f, .35f}, {0, .1f}, {-.4f, .4f}}, kRound}}},
    // 7: plain, with a bar, with a bent stem
    {{{{{-.5f, -.85f}, {.5f, -.85f}, {-.1f, .9f}}, kStraight}},
     {{{{-.5f, -.85f}, {.5f, -.85f}, {-.1f, .9f}}, kStraight}, {{{-.3f, .05f}, {.42f, .05f}}, kStraight}},
     {{{{-.5f, -.6f}, {-.45f, -.85f}, {.5f, -.8f}}, kStraight}, {{{.5f, -.8f}, {.05f, 0}, {-.1f, .9f}}, kRound}}},
    // 8: in one stroke, two rings
    {{{{{.4f, -.65f},
        {0, -.9f},
        {-.4f, -.5f},
        {0, -.05f},
        {.45f, .4f},
        {0, .9f},
        {-.45f, .4f},
        {0, -.05f},
        {.4f, -.65f}},
       kRound}},
     {{{{0, -.9f}, {.35f, -.5f}, {0, -.08f}, {-.35f, -.5f}, {0, -.9f}}, kRound},
      {{{0, -.08f}, {.45f, .4f}, {0, .88f}, {-.45f, .4f}, {0, -.08f}}, kRound}}},
    // 9: with a bent stem, with a straight one
    {{{{{.4f, -.4f}, {.05f, -.02f}, {-.4f, -.4f}, {0, -.88f}, {.42f, -.5f}, {.38f, .3f}, {-.2f, .88f}}, kRound}},
     {{{{.38f, -.5f}, {0, -.1f}, {-.4f, -.45f}, {0, -.88f}, {.4f, -.6f}}, kRound},
      {{{.4f, -.6f}, {.25f, .9f}}, kStraight}}},
};

}  // namespace

std::span<const GlyphShape> glyph_variants(int label) { return kShapes.at(static_cast<size_t>(label)); }

}  // namespace orrery::detail
