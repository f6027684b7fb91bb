#include "datasets/glyphs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/core/rng.hpp"

namespace orrery {
namespace {

using detail::GlyphPoint;
using detail::GlyphShape;
using detail::GlyphStroke;

// How hard the set is. Seen with these values (60,000 training images, test accuracy on 10,000): softmax regression
// 0.889, an MLP with 128 hidden units 0.966, a network of two 5x5 convolutions with pooling 0.985.
constexpr float kWarp = 0.10f;      // standard deviation of a control point, in glyph units
constexpr float kRotation = 0.20f;  // largest angle, radians
constexpr float kShear = 0.22f;     // largest shear
constexpr float kScale = 9.5f;      // pixels per glyph unit, times
constexpr float kScaleLow = 0.82f, kScaleHigh = 1.10f;
constexpr float kShift = 1.4f;                        // largest translation, pixels
constexpr float kWidthLow = 0.6f, kWidthHigh = 1.5f;  // half the width of the ink, pixels
constexpr float kInkLow = 150.f, kInkHigh = 255.f;
constexpr float kStrayChance = 0.4f, kPatchChance = 0.5f;
constexpr float kNoise = 30.f;              // standard deviation, in grey levels of 255
constexpr int kSmooth = 4;                  // straight pieces between two points of a round stroke
constexpr uint32_t kNoiseBlock = 1u << 20;  // noise draws from blocks past those of the shape

// Draws one after the other from the stream of one sample.
class Draws {
 public:
  explicit Draws(const Stream& s) : stream_(s) {}
  float uniform(float low, float high) { return low + (high - low) * static_cast<float>(stream_.uniform(next_++)); }
  float normal() {
    const uint32_t pair = next_ + (next_ & 1u);  // two words of one block
    next_ = pair + 2;
    return static_cast<float>(stream_.normal(pair));
  }
  bool chance(float p) { return uniform(0, 1) < p; }
  int below(int n) { return static_cast<int>(stream_.below(next_++, static_cast<uint32_t>(n))); }

 private:
  Stream stream_;
  uint32_t next_ = 0;
};

class Canvas {
 public:
  // A straight piece of ink: full within `half_width` of it, fading to nothing over one pixel.
  void line(GlyphPoint a, GlyphPoint b, float half_width, float ink) {
    const float reach = half_width + 0.5f;
    const int left = clamp(std::floor(std::min(a.x, b.x) - reach)),
              right = clamp(std::ceil(std::max(a.x, b.x) + reach));
    const int top = clamp(std::floor(std::min(a.y, b.y) - reach)),
              bottom = clamp(std::ceil(std::max(a.y, b.y) + reach));
    const float dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy, inverse = length2 > 0 ? 1 / length2 : 0;
    for (int y = top; y <= bottom; ++y)
      for (int x = left; x <= right; ++x) {
        const float px = static_cast<float>(x) - a.x, py = static_cast<float>(y) - a.y;
        const float t = std::clamp((px * dx + py * dy) * inverse, 0.f, 1.f);
        const float ex = px - t * dx, ey = py - t * dy, distance2 = ex * ex + ey * ey;
        if (distance2 >= reach * reach) continue;
        float& grey = grey_[y * kGlyphSide + x];
        grey = std::max(grey, ink * std::min(reach - std::sqrt(distance2), 1.f));
      }
  }
  void patch(int left, int top, int width, int height, float grey) {
    for (int y = top; y < std::min(top + height, kGlyphSide); ++y)
      for (int x = left; x < std::min(left + width, kGlyphSide); ++x) grey_[y * kGlyphSide + x] = grey;
  }
  // Adds noise, the sum of two uniform bytes, and rounds to bytes. A block of random words serves eight pixels.
  void store(const Stream& s, uint8_t* to) const {
    const float unit = kNoise / 104.5f;  // over the standard deviation of such a sum, sqrt(2 * (256^2 - 1) / 12)
    for (uint32_t i = 0; i < grey_.size(); i += 8) {
      const PhiloxBlock block = s.block(kNoiseBlock + i / 8);
      for (uint32_t j = 0; j < 8; ++j) {
        const uint32_t w = block.word[j / 2] >> (16 * (j & 1u));
        const float noise = unit * static_cast<float>(static_cast<int>((w & 255u) + (w >> 8 & 255u)) - 255);
        to[i + j] = static_cast<uint8_t>(std::clamp(grey_[i + j] + noise + 0.5f, 0.f, 255.f));
      }
    }
  }

 private:
  static int clamp(float v) { return static_cast<int>(std::clamp(v, 0.f, static_cast<float>(kGlyphSide - 1))); }
  std::array<float, kGlyphSide * kGlyphSide> grey_{};
};

// The points of a stroke, with points between them where it is round: Catmull-Rom, the ends doubled.
void trace(const std::vector<GlyphPoint>& p, bool round, std::vector<GlyphPoint>& out) {
  out.assign(1, p.front());
  const int n = static_cast<int>(p.size());
  for (int i = 0; i + 1 < n; ++i) {
    const GlyphPoint a = p[std::max(i - 1, 0)], b = p[i], c = p[i + 1], d = p[std::min(i + 2, n - 1)];
    for (int k = 1; k < kSmooth && round; ++k) {
      const float t = static_cast<float>(k) / kSmooth;
      const auto curve = [t](float w, float x, float y, float z) {
        return x + 0.5f * t * (y - w + t * (2 * w - 5 * x + 4 * y - z + t * (3 * (x - y) + z - w)));
      };
      out.push_back({curve(a.x, b.x, c.x, d.x), curve(a.y, b.y, c.y, d.y)});
    }
    out.push_back(c);
  }
}

void draw_sample(const Stream& stream, int label, uint8_t* to) {
  Draws draw(stream);
  Canvas canvas;
  const auto variants = detail::glyph_variants(label);
  const GlyphShape& shape = variants[draw.below(static_cast<int>(variants.size()))];

  // glyph units -> pixels: translation * rotation * shear * scales
  const float angle = draw.uniform(-kRotation, kRotation), shear = draw.uniform(-kShear, kShear);
  const float sx = kScale * draw.uniform(kScaleLow, kScaleHigh), sy = kScale * draw.uniform(kScaleLow, kScaleHigh);
  const float middle = 0.5f * (kGlyphSide - 1);
  const float tx = middle + draw.uniform(-kShift, kShift), ty = middle + draw.uniform(-kShift, kShift);
  const float cosine = std::cos(angle), sine = std::sin(angle);
  const auto place = [&](GlyphPoint p) {
    const float x = sx * (p.x + shear * p.y), y = sy * p.y;
    return GlyphPoint{tx + cosine * x - sine * y, ty + sine * x + cosine * y};
  };

  // ink
  const float half_width = draw.uniform(kWidthLow, kWidthHigh), ink = draw.uniform(kInkLow, kInkHigh);
  std::vector<GlyphPoint> points, path;
  for (const GlyphStroke& stroke : shape) {
    points.clear();
    for (const GlyphPoint p : stroke.points) {
      const float dx = kWarp * draw.normal(), dy = kWarp * draw.normal();
      points.push_back(place({p.x + dx, p.y + dy}));
    }
    trace(points, stroke.round, path);
    for (size_t i = 0; i + 1 < path.size(); ++i) canvas.line(path[i], path[i + 1], half_width, ink);
  }

  // clutter
  if (draw.chance(kStrayChance)) {
    const GlyphPoint a{draw.uniform(0, kGlyphSide), draw.uniform(0, kGlyphSide)};
    const GlyphPoint b{a.x + draw.uniform(-8, 8), a.y + draw.uniform(-8, 8)};
    canvas.line(a, b, draw.uniform(0.3f, 1.0f), draw.uniform(kInkLow, kInkHigh));
  }
  if (draw.chance(kPatchChance)) {
    const int left = draw.below(kGlyphSide - 6), top = draw.below(kGlyphSide - 6);
    const int width = 4 + draw.below(5), height = 4 + draw.below(5);
    canvas.patch(left, top, width, height, draw.uniform(0, 120));
  }
  canvas.store(stream, to);
}

// Place i within its block of ten, in an order drawn for the block.
int label_of(uint64_t seed, GlyphSplit split, int64_t i) {
  const Stream s(seed, Draw::glyphs, static_cast<uint32_t>(i / kGlyphClasses), 2 + static_cast<uint64_t>(split));
  std::array<int, kGlyphClasses> order;
  for (int c = 0; c < kGlyphClasses; ++c) order[c] = c;
  for (uint32_t c = kGlyphClasses - 1; c > 0; --c) std::swap(order[c], order[s.below(c, c + 1)]);
  return order[static_cast<size_t>(i % kGlyphClasses)];
}

class Glyphs final : public DataSource {
 public:
  explicit Glyphs(Params& p)
      : train_(p.integer("train", 60000, between(1, 10'000'000))),
        test_(p.integer("test", 10000, between(1, 10'000'000))),
        seed_(static_cast<uint64_t>(p.integer("seed", 1, at_least(0)))) {
    if (p.has("path"))
      p.fail("path", "is not used by glyphs, which is drawn, not read; remove it or name another data set");
  }

  Dataset load(std::string*) const override {
    Dataset d;
    d.name = "glyphs";
    d.origin = fmt::format("drawn, seed {}", seed_);
    d.features = kGlyphSide * kGlyphSide;
    d.classes = kGlyphClasses;
    d.image_rows = d.image_cols = kGlyphSide;
    d.train = make_glyphs(train_, seed_, GlyphSplit::train);
    d.test = make_glyphs(test_, seed_, GlyphSplit::test);
    return d;
  }

 private:
  int64_t train_, test_;
  uint64_t seed_;
};

}  // namespace

Samples make_glyphs(int64_t count, uint64_t seed, GlyphSplit split) {
  expects(count >= 0 && count <= int64_t{1} << 31, "a number of samples below 2^31");
  Samples s;
  s.count = count;
  s.features = kGlyphSide * kGlyphSide;
  s.bytes.resize(static_cast<size_t>(count * s.features));
  s.labels.resize(static_cast<size_t>(count));
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; ++i) {
    const int label = label_of(seed, split, i);
    s.labels[static_cast<size_t>(i)] = label;
    draw_sample(Stream(seed, Draw::glyphs, static_cast<uint32_t>(i), static_cast<uint64_t>(split)), label,
                s.bytes.data() + i * s.features);
  }
  return s;
}

namespace data {

extern const Entry<DataSource> glyphs{
    "glyphs", "digit-like images drawn from a seed, 28x28 grey, 10 classes; needs no files",
    [](Params& p) -> std::unique_ptr<DataSource> { return std::make_unique<Glyphs>(p); }};

}  // namespace data
}  // namespace orrery
