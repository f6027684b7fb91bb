// Sets in LIBSVM text format: two classes, sparse rows (Chang and Lin, ACM TIST 2(3), 2011).
//
//   train      file name in the data folder, or absolute; with or without .gz
//   test       the same for the test set
//   holdout    where there is no test file: the last n training samples become the test set
//   features   dimension; default: the largest index of both files
//
// Of the two labels the smaller is class 0. Values stay as they are stored.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "datasets/folders.hpp"
#include "datasets/libsvm_file.hpp"
#include "datasets/samples.hpp"

namespace orrery::data {
namespace {

class LibsvmSource final : public DataSource {
 public:
  explicit LibsvmSource(Params& p) : train_(name_of(p, "train")) {
    if (p.has("test")) test_ = name_of(p, "test");
    if (p.has("holdout")) holdout_ = p.integer("holdout", std::nullopt, at_least(1));
    if (p.has("features")) features_ = p.integer("features", std::nullopt, between(1, 2147483647));
    if (p.has("path")) path_ = p.file_path("path");
    if (p.has("path") && path_.empty()) p.fail("path", "is empty; give a folder or remove the key");
    if (test_.empty() && holdout_ == 0)
      p.fail("train", "comes without test samples; give data.test, or data.holdout = n to keep the last n for testing");
    if (!test_.empty() && holdout_ > 0) p.fail("holdout", "stands beside data.test; keep one of the two");
  }

  bool sparse() const override { return true; }

  Dataset load(std::string*) const override {
    const std::string folder = find();
    LibsvmFile train = read_libsvm(file_in(folder, train_), features_), test;
    const std::string test_file = test_.empty() ? "" : file_in(folder, test_);
    if (!test_.empty()) test = read_libsvm(test_file, features_);
    if (train.labels.size() < 2)
      throw DataError(fmt::format("{}: every sample has the label {}; give a set of two classes",
                                  file_in(folder, train_), train.labels[0]));

    Dataset d;
    d.name = "libsvm";
    d.origin = file_in(folder, train_);
    d.classes = 2;
    d.features = features_ > 0 ? features_ : std::max({train.samples.features, test.samples.features, int64_t{1}});
    d.train = std::move(train.samples);
    if (test_.empty()) {
      if (holdout_ >= d.train.count)
        throw DataError(
            fmt::format("{}: data.holdout = {} leaves no training sample of the {} that it holds; lower "
                        "data.holdout",
                        d.origin, holdout_, d.train.count));
      d.test = take_last(d.train, holdout_);
    } else {
      as_in_training(train.labels, test, test_file);
      d.test = std::move(test.samples);
    }
    d.train.features = d.test.features = d.features;
    return d;
  }

 private:
  static std::string name_of(Params& p, const std::string& key) {
    const std::string name = p.text(key, std::nullopt);
    if (name.empty()) p.fail(key, "is empty; give the name of a file");
    return name;
  }

  static std::string file_in(const std::string& folder, const std::string& name) {
    return find_data_file(folder, {name});
  }

  // The first folder that holds the training file must hold the test file too.
  std::string find() const {
    const std::filesystem::path given(train_);
    const std::vector<std::string> folders =
        given.is_absolute() ? std::vector{given.parent_path().string()} : data_folders(path_, {"libsvm"});
    for (const auto& folder : folders) {
      if (file_in(folder, train_).empty()) continue;
      if (!test_.empty() && file_in(folder, test_).empty())
        throw DataError(
            fmt::format("{}: holds {}, but not {}[.gz]; add the file, or remove data.test and set "
                        "data.holdout",
                        folder, train_, test_));
      return folder;
    }
    fail_missing_data("libsvm", folders, fmt::format("{}[.gz]", train_), train_);
  }

  // The places of the test labels become those of the training labels.
  static void as_in_training(const std::vector<double>& known, LibsvmFile& test, const std::string& file) {
    std::vector<int32_t> place;
    for (size_t l = 0; l < test.labels.size(); ++l) {
      const auto at = std::find(known.begin(), known.end(), test.labels[l]);
      if (at == known.end())
        throw DataError(
            fmt::format("{}:{}: the label {} is none of the training set's, {} and {}; take both files "
                        "from the same set",
                        file, test.label_at[l], test.labels[l], known[0], known[1]));
      place.push_back(static_cast<int32_t>(at - known.begin()));
    }
    for (auto& l : test.samples.labels) l = place[static_cast<size_t>(l)];
  }

  std::string train_, test_, path_;
  int64_t holdout_ = 0, features_ = 0;
};

}  // namespace

extern const Entry<DataSource> libsvm{
    "libsvm", "two classes, sparse rows, in LIBSVM text format: a9a, w8a, mushrooms, phishing and others (files)",
    [](Params& p) -> std::unique_ptr<DataSource> { return std::make_unique<LibsvmSource>(p); }};

}  // namespace orrery::data
