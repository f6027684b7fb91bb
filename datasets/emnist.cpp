// EMNIST: handwritten digits and letters, 28x28 (Cohen, Afshar, Tapson, van Schaik, arXiv:1702.05373).
// Stored transposed with respect to MNIST; turned upright here. Letters are stored as 1..26.
//
//   split     which of the six published sets
//   classes   number of logits, at least the number of labels [that number]
//   holdout   0: training and test files as published; n > 0: the test files alone, the last n samples as test set
#include <map>

#include "datasets/idx_source.hpp"

namespace orrery::data {
namespace {

const std::map<std::string, int> kClasses{{"byclass", 62}, {"bymerge", 47}, {"balanced", 47},
                                          {"letters", 26}, {"digits", 10},  {"mnist", 10}};

std::unique_ptr<DataSource> make_emnist(Params& p) {
  const std::string split =
      p.choice("split", "byclass", {"byclass", "bymerge", "balanced", "letters", "digits", "mnist"});
  const std::string prefix = "emnist-" + split + "-";
  IdxSet s;
  s.name = "emnist";
  s.classes = kClasses.at(split);
  s.logits = static_cast<int>(p.integer("classes", s.classes, between(s.classes, 1'000'000)));
  s.folders = {"emnist", "emnist-" + split + "-test"};
  s.train_images = {prefix + "train-images-idx3-ubyte"};
  s.train_labels = {prefix + "train-labels-idx1-ubyte"};
  s.test_images = {prefix + "test-images-idx3-ubyte"};
  s.test_labels = {prefix + "test-labels-idx1-ubyte"};
  s.first_label = split == "letters" ? 1 : 0;
  s.transposed = true;
  s.has_holdout = true;
  s.holdout = p.integer("holdout", 0, at_least(0));
  return make_idx_source(p, std::move(s));
}

}  // namespace

extern const Entry<DataSource> emnist{"emnist", "handwritten digits and letters, 28x28 grey, 10 to 62 classes (files)",
                                      make_emnist};

}  // namespace orrery::data
