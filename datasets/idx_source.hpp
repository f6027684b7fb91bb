// Image sets of four IDX files (training and test images with labels) in one folder: MNIST and its relatives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/dataset.hpp"

namespace orrery {

struct IdxSet {
  std::string name;
  int classes = 10;                                     // labels that the files hold
  int logits = 0;                                       // above 0: classes of the model, at least that many
  std::vector<std::string> folders;                     // names under $ORRERY_DATA and the cache
  std::vector<std::string> train_images, train_labels;  // file names without .gz, the first that exists is taken
  std::vector<std::string> test_images, test_labels;
  int first_label = 0;      // stored label of class 0
  bool transposed = false;  // images are stored column by column
  bool has_holdout = false;
  int64_t holdout = 0;  // above 0: use the test files alone, the last `holdout` of them as test set
};

// The names of the publishers of MNIST and Fashion-MNIST, and their variant with a dot.
IdxSet mnist_like(const std::string& name);

std::unique_ptr<DataSource> make_idx_source(Params&, IdxSet);  // reads data.path

}  // namespace orrery
