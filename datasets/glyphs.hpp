// Glyphs: an image set that needs no files. 28x28 grey images of ten digit-like classes, drawn afresh from a seed.
//
// A sample is drawn in these steps, each with its own random numbers:
//   1. one of the class's variants: strokes given by control points in [-1,1]^2 (glyph_strokes.cpp)
//   2. every control point moves a little; round strokes are smoothed (Catmull-Rom)
//   3. an affine map: rotation, shear, two scales, translation
//   4. ink of random width and darkness along the strokes, its edge one pixel soft
//   5. clutter: in some images a stray stroke, in some a patch that covers a part
//   6. noise on every pixel
//
// Labels   every ten samples in a row hold each class once, in random order: classes are balanced up to one
//          for any count.
// Result   sample i depends on (seed, split, i) alone: not on the count, the thread or the samples beside it.
// Cost     about 30 us a sample and core.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "datasets/dataset.hpp"

namespace orrery {

constexpr int kGlyphSide = 28, kGlyphClasses = 10;

enum class GlyphSplit : uint32_t { train = 0, test = 1 };

Samples make_glyphs(int64_t count, uint64_t seed, GlyphSplit split);

namespace detail {

struct GlyphPoint {
  float x, y;  // right, down
};
struct GlyphStroke {
  std::vector<GlyphPoint> points;
  bool round;  // a smooth curve through the points, else straight lines
};
using GlyphShape = std::vector<GlyphStroke>;

std::span<const GlyphShape> glyph_variants(int label);

}  // namespace detail
}  // namespace orrery
