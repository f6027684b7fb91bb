#include "datasets/idx_source.hpp"

#include <fmt/format.h>

#include "datasets/folders.hpp"
#include "datasets/idx.hpp"
#include "datasets/samples.hpp"

namespace orrery {
namespace {

// Swaps rows and columns of every image.
void transpose(IdxSamples& s) {
  std::vector<uint8_t> upright(s.samples.bytes.size());
  for (int64_t i = 0; i < s.samples.count; ++i) {
    const uint8_t* from = s.samples.bytes.data() + i * s.rows * s.cols;
    uint8_t* to = upright.data() + i * s.rows * s.cols;
    for (int64_t r = 0; r < s.rows; ++r)
      for (int64_t c = 0; c < s.cols; ++c) to[c * s.rows + r] = from[r * s.cols + c];
  }
  s.samples.bytes = std::move(upright);
  std::swap(s.rows, s.cols);
}

struct Files {
  std::string train_images, train_labels, test_images, test_labels;
};

class IdxSource final : public DataSource {
 public:
  IdxSource(Params& p, IdxSet set) : set_(std::move(set)), path_(p.has("path") ? p.file_path("path") : "") {
    if (p.has("path") && path_.empty()) p.fail("path", "is empty; give a folder or remove the key");
  }

  Dataset load(std::string*) const override {
    std::string folder;
    const Files files = find(&folder);
    IdxSamples test = read(files.test_images, files.test_labels);
    Dataset d;
    d.name = set_.name;
    d.origin = folder;
    d.classes = set_.logits > 0 ? set_.logits : set_.classes;
    d.image_rows = static_cast<int>(test.rows);
    d.image_cols = static_cast<int>(test.cols);
    d.features = test.samples.features;
    if (set_.holdout > 0) {
      if (set_.holdout >= test.samples.count)
        throw DataError(
            fmt::format("{}: data.holdout = {} leaves no training sample of the {} that it holds; lower data.holdout",
                        files.test_images, set_.holdout, test.samples.count));
      d.test = take_last(test.samples, set_.holdout);
      d.train = std::move(test.samples);
      return d;
    }
    IdxSamples train = read(files.train_images, files.train_labels);
    if (train.rows != test.rows || train.cols != test.cols)
      throw DataError(fmt::format("{}: holds images of {} x {}, but {} of {} x {}; take both files from the same set",
                                  files.train_images, train.rows, train.cols, files.test_images, test.rows, test.cols));
    d.train = std::move(train.samples);
    d.test = std::move(test.samples);
    return d;
  }

 private:
  // The first folder that holds a file of the set must hold all that is needed.
  Files find(std::string* folder) const {
    const std::vector<std::string> folders = data_folders(path_, set_.folders);
    for (const auto& f : folders) {
      const Files found{find_data_file(f, set_.train_images), find_data_file(f, set_.train_labels),
                        find_data_file(f, set_.test_images), find_data_file(f, set_.test_labels)};
      if ((found.train_images + found.train_labels + found.test_images + found.test_labels).empty()) continue;
      const bool train_needed = set_.holdout == 0;
      std::string missing;
      const auto need = [&](const std::string& file, const std::vector<std::string>& names) {
        if (file.empty() && missing.empty()) missing = names.front() + "[.gz]";
      };
      need(found.test_images, set_.test_images);
      need(found.test_labels, set_.test_labels);
      const bool test_complete = missing.empty();
      if (train_needed) need(found.train_images, set_.train_images);
      if (train_needed) need(found.train_labels, set_.train_labels);
      if (!missing.empty())
        throw DataError(fmt::format("{}: holds a part of {}, but not {}; add the file{}", f, set_.name, missing,
                                    set_.has_holdout && test_complete
                                        ? ", or set data.holdout to train on all but the last so many test samples"
                                        : ""));
      *folder = f;
      return found;
    }
    fail_missing_data(set_.name, folders,
                      fmt::format("{}[.gz], {}[.gz], {}[.gz] and {}[.gz]", set_.train_images.front(),
                                  set_.train_labels.front(), set_.test_images.front(), set_.test_labels.front()),
                      set_.name);
  }

  IdxSamples read(const std::string& images, const std::string& labels) const {
    IdxSamples s = read_idx_samples(images, labels, set_.classes, set_.first_label);
    if (set_.transposed) transpose(s);
    return s;
  }

  IdxSet set_;
  std::string path_;
};

}  // namespace

IdxSet mnist_like(const std::string& name) {
  IdxSet s;
  s.name = name;
  s.folders = {name};
  s.train_images = {"train-images-idx3-ubyte", "train-images.idx3-ubyte"};
  s.train_labels = {"train-labels-idx1-ubyte", "train-labels.idx1-ubyte"};
  s.test_images = {"t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"};
  s.test_labels = {"t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"};
  return s;
}

std::unique_ptr<DataSource> make_idx_source(Params& p, IdxSet set) {
  return std::make_unique<IdxSource>(p, std::move(set));
}

}  // namespace orrery
