#include "datasets/glyphs.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

namespace orrery {
namespace {

TEST(Glyphs, ASampleDependsOnSeedSplitAndIndexAlone) {
  const Samples many = make_glyphs(500, 3, GlyphSplit::train), few = make_glyphs(37, 3, GlyphSplit::train);
  EXPECT_TRUE(std::equal(few.bytes.begin(), few.bytes.end(), many.bytes.begin()));
  EXPECT_TRUE(std::equal(few.labels.begin(), few.labels.end(), many.labels.begin()));
  EXPECT_NE(many.bytes, make_glyphs(500, 4, GlyphSplit::train).bytes);
  EXPECT_NE(many.labels, make_glyphs(500, 4, GlyphSplit::train).labels);

  // No test image is the training image of the same place, also where both have one label.
  const Samples test = make_glyphs(500, 3, GlyphSplit::test);
  int equal_labels = 0;
  for (int64_t i = 0; i < 500; ++i) {
    equal_labels += many.labels[i] == test.labels[i];
    EXPECT_FALSE(
        std::equal(test.bytes.begin() + i * 784, test.bytes.begin() + (i + 1) * 784, many.bytes.begin() + i * 784));
  }
  EXPECT_GT(equal_labels, 20);
  EXPECT_LT(equal_labels, 100);
}

TEST(Glyphs, ThreadsDoNotMatter) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  const Samples one = make_glyphs(300, 1, GlyphSplit::train);
  omp_set_num_threads(5);
  const Samples five = make_glyphs(300, 1, GlyphSplit::train);
  omp_set_num_threads(before);
  EXPECT_EQ(one.bytes, five.bytes);
  EXPECT_EQ(one.labels, five.labels);
}

TEST(Glyphs, ClassesAreBalancedUpToOne) {
  for (const int64_t n : {1, 9, 10, 11, 25, 1003}) {
    const Samples s = make_glyphs(n, 1, GlyphSplit::train);
    ASSERT_EQ(static_cast<int64_t>(s.labels.size()), n);
    ASSERT_EQ(static_cast<int64_t>(s.bytes.size()), n * 784);
    std::vector<int64_t> count(10, 0);
    for (const int32_t label : s.labels) ++count.at(static_cast<size_t>(label));
    const auto [low, high] = std::minmax_element(count.begin(), count.end());
    EXPECT_LE(*high - *low, 1) << n;
  }
}

// The classes can be told apart, but not by their means alone: the nearest class mean is right far more often than by
// chance and far less than always.
TEST(Glyphs, NearestClassMeanIsRightInPart) {
  const Samples train = make_glyphs(5000, 1, GlyphSplit::train), test = make_glyphs(1000, 1, GlyphSplit::test);
  std::vector<double> mean(10 * 784, 0);
  for (int64_t i = 0; i < train.count; ++i)
    for (int64_t d = 0; d < 784; ++d) mean[train.labels[i] * 784 + d] += train.bytes[i * 784 + d] / 500.0;
  int right = 0;
  for (int64_t i = 0; i < test.count; ++i) {
    int best = 0;
    double best_distance = INFINITY;
    for (int c = 0; c < 10; ++c) {
      double distance = 0;
      for (int64_t d = 0; d < 784; ++d) distance += std::pow(test.bytes[i * 784 + d] - mean[c * 784 + d], 2);
      if (distance < best_distance) best_distance = distance, best = c;
    }
    right += best == test.labels[i];
  }
  EXPECT_GT(right, 600);
  EXPECT_LT(right, 900);
}

// Ink reaches every image, and the background stays darker than it.
TEST(Glyphs, EveryImageHasInkOnDarkGround) {
  const Samples s = make_glyphs(1000, 2, GlyphSplit::train);
  for (int64_t i = 0; i < s.count; ++i) {
    std::vector<uint8_t> image(s.bytes.begin() + i * 784, s.bytes.begin() + (i + 1) * 784);
    std::sort(image.begin(), image.end());
    EXPECT_LT(image[784 / 4], 80) << i;    // the lowest quarter
    EXPECT_GT(image[784 - 12], 110) << i;  // the brightest dozen
  }
}

TEST(Glyphs, EveryClassHasVariantsWithinTheSquare) {
  for (int label = 0; label < kGlyphClasses; ++label) {
    const auto variants = detail::glyph_variants(label);
    EXPECT_GE(variants.size(), 2u) << label;
    for (const auto& shape : variants)
      for (const auto& stroke : shape) {
        EXPECT_GE(stroke.points.size(), 2u) << label;
        for (const auto p : stroke.points) EXPECT_TRUE(std::abs(p.x) <= 1 && std::abs(p.y) <= 1) << label;
      }
  }
}

}  // namespace
}  // namespace orrery
