// Sets in NumPy files.
//
//   train_x, test_x   features, (n,d) or images (n,rows,columns): uint8, float32 or float64
//   train_y, test_y   labels (n), any integer type, 0..C-1
//   classes           C; default: the largest label + 1
//   holdout           where there are no test files: the last n training samples become the test set
//   path              the folder of the files; default: the experiment's own, then the working directory
//
// uint8 stays bytes, which `normalise` divides by 255; other types become float32.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "datasets/folders.hpp"
#include "datasets/samples.hpp"
#include "kernels/core/npy.hpp"

namespace orrery::data {
namespace {

constexpr int64_t kMostClasses = 1'000'000, kMostSamples = (int64_t{1} << 31) - 1;

[[noreturn]] void fail(const std::string& file, const std::string& what) {
  throw DataError(fmt::format("{}: {}", file, what));
}

struct Pair {
  Samples samples;
  int64_t rows = 0, cols = 0;
  int64_t largest = 0;  // label
};

class NpySource final : public DataSource {
 public:
  explicit NpySource(Params& p) {
    if (p.has("path")) folder_ = p.file_path("path");
    if (p.has("path") && folder_.empty()) p.fail("path", "is empty; give a folder or remove the key");
    train_x_ = file_of(p, "train_x");
    train_y_ = file_of(p, "train_y");
    for (const auto& [given, other] : {std::pair{"test_x", "test_y"}, {"test_y", "test_x"}})
      if (p.has(given) && !p.has(other))
        p.fail(given, fmt::format("comes without data.{}; give both, or data.holdout", other));
    if (p.has("test_x")) {
      test_x_ = file_of(p, "test_x");
      test_y_ = file_of(p, "test_y");
    }
    if (p.has("classes")) classes_ = p.integer("classes", std::nullopt, between(2, kMostClasses));
    if (p.has("holdout")) holdout_ = p.integer("holdout", std::nullopt, at_least(1));
    if (test_x_.empty() && holdout_ == 0)
      p.fail("train_x",
             "comes without test samples; give data.test_x and data.test_y, or data.holdout = n to keep the "
             "last n for testing");
    if (!test_x_.empty() && holdout_ > 0) p.fail("holdout", "stands beside data.test_x; keep one of the two");
  }

  Dataset load(std::string*) const override {
    for (const auto* file : {&train_x_, &train_y_, &test_x_, &test_y_})
      if (std::error_code ignored; !file->empty() && !std::filesystem::exists(*file, ignored))
        throw MissingData(
            fmt::format("npy: {} was not found; put it there, or set data.path to the folder that holds "
                        "it, or data.fallback = \"glyphs\"",
                        *file));
    Pair train = read(train_x_, train_y_);
    Dataset d;
    d.name = "npy";
    d.origin = train_x_;
    d.features = train.samples.features;
    d.image_rows = static_cast<int>(train.rows);
    d.image_cols = static_cast<int>(train.cols);
    d.classes = static_cast<int>(std::max(classes_, int64_t{2}));
    if (classes_ == 0) d.classes = static_cast<int>(std::max<int64_t>(d.classes, train.largest + 1));
    if (!test_x_.empty()) {
      Pair test = read(test_x_, test_y_);
      if (test.samples.features != d.features || test.rows != train.rows)
        fail(test_x_, fmt::format("holds samples of {} features, but {} of {}; take both files from the same set",
                                  shape_of(test), train_x_, shape_of(train)));
      if (test.samples.bytes.empty() != train.samples.bytes.empty())
        fail(test_x_, fmt::format("is not of the type of {}, of which one is uint8; save both in one type", train_x_));
      if (classes_ == 0) d.classes = static_cast<int>(std::max<int64_t>(d.classes, test.largest + 1));
      d.test = std::move(test.samples);
    } else if (holdout_ >= train.samples.count) {
      fail(train_x_, fmt::format("data.holdout = {} leaves no training sample of the {} that it holds; lower "
                                 "data.holdout",
                                 holdout_, train.samples.count));
    } else {
      d.test = take_last(train.samples, holdout_);
    }
    d.train = std::move(train.samples);
    return d;
  }

 private:
  std::string file_of(Params& p, const std::string& key) const {
    if (folder_.empty()) {
      const std::string file = p.file_path(key);
      if (file.empty()) p.fail(key, "is empty; give the name of a .npy file");
      return file;
    }
    const std::string name = p.text(key, std::nullopt);
    if (name.empty()) p.fail(key, "is empty; give the name of a .npy file");
    return (std::filesystem::path(folder_) / name).string();
  }

  static std::string shape_of(const Pair& s) {
    return s.rows > 0 ? fmt::format("{} x {}", s.rows, s.cols) : fmt::format("{}", s.samples.features);
  }

  static std::string shape_of(const NpyBytes& a) {
    std::string text;
    for (const int64_t n : a.shape) text += fmt::format("{}{}", text.empty() ? "" : ", ", n);
    return "(" + text + ")";
  }

  Pair read(const std::string& x_file, const std::string& y_file) const {
    Pair out;
    Samples& s = out.samples;

    // The features.
    NpyBytes x = read_npy_bytes(x_file, "fu");
    if (x.kind == 'u' && x.size != 1)
      fail(x_file, fmt::format("holds integers of {} bytes; save it as uint8, float32 or float64", x.size));
    if (x.shape.size() != 2 && x.shape.size() != 3)
      fail(x_file, fmt::format("has shape {}; give samples (n, d) or images (n, rows, columns)", shape_of(x)));
    if (x.bytes.empty()) fail(x_file, fmt::format("has shape {}, which holds nothing; write it again", shape_of(x)));
    s.count = x.shape[0];
    s.features = x.count() / s.count;
    if (s.count > kMostSamples || s.features > kMostSamples)
      fail(x_file,
           fmt::format("has shape {}; no more than {} samples or features are taken", shape_of(x), kMostSamples));
    if (x.shape.size() == 3) out.rows = x.shape[1], out.cols = x.shape[2];
    if (x.kind == 'u') {
      s.bytes = std::move(x.bytes);
    } else {
      s.values.resize(static_cast<size_t>(x.count()));
      for (int64_t i = 0; i < x.count(); ++i) {
        const auto v = static_cast<float>(x.number(i));
        if (!std::isfinite(v))
          fail(x_file, fmt::format("feature {} of sample {} is not finite in single precision; correct or rescale it",
                                   i % s.features, i / s.features));
        s.values[static_cast<size_t>(i)] = v;
      }
    }

    // The labels.
    const NpyBytes y = read_npy_bytes(y_file, "ui");
    if (y.shape.size() != 1) fail(y_file, fmt::format("has shape {}; give labels (n)", shape_of(y)));
    if (y.shape[0] != s.count)
      fail(y_file, fmt::format("holds {} labels for the {} samples of {}; take both files from the same set",
                               y.shape[0], s.count, x_file));
    const int64_t classes = classes_ > 0 ? classes_ : kMostClasses;
    for (int64_t i = 0; i < s.count; ++i) {
      const int64_t label = y.integer(i);
      if (label < 0 || label >= classes)
        fail(y_file, fmt::format("label {} of sample {} is outside 0..{}; {}", label, i, classes - 1,
                                 classes_ > 0 && label >= 0 ? "raise data.classes or correct it"
                                                            : "number the classes from 0"));
      out.largest = std::max(out.largest, label);
      s.labels.push_back(static_cast<int32_t>(label));
    }
    return out;
  }

  std::string folder_, train_x_, train_y_, test_x_, test_y_;
  int64_t classes_ = 0, holdout_ = 0;
};

}  // namespace

extern const Entry<DataSource> npy{
    "npy", "features and labels in NumPy files: uint8, float32 or float64, samples (n,d) or images (files)",
    [](Params& p) -> std::unique_ptr<DataSource> { return std::make_unique<NpySource>(p); }};

}  // namespace orrery::data
