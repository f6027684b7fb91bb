// by-label: whole classes to workers; a class that several workers hold is split evenly among them.
//
//   default      W <= C: worker w holds the classes {c : c mod W == w};  W > C: worker w holds a share of class w mod C
//   labels       labels[w mod rows] are the classes of worker w
#include <fmt/format.h>

#include <algorithm>

#include "datasets/partition/cut.hpp"

namespace orrery::partition {
namespace {

class ByLabel final : public Partitioner {
 public:
  explicit ByLabel(Params& p) : params_(p) {
    refuse_sizes(p, "with \"by-label\" they follow from the classes");
    if (!p.has("labels")) return;
    rows_ = p.integer_rows("labels", between(0, 1'000'000));
    for (auto row : rows_) {
      if (row.empty()) p.fail("labels", "has an empty row; give every worker a class");
      std::sort(row.begin(), row.end());
      if (const auto twice = std::adjacent_find(row.begin(), row.end()); twice != row.end())
        p.fail("labels", fmt::format("names class {} twice for one worker; name it once", *twice));
    }
  }

  Partition split(const std::vector<int32_t>& labels, int classes, int64_t workers, uint64_t seed) const override {
    expects(workers > 0, "at least one worker");
    const auto of_class = by_class(labels, classes, seed);
    const auto holders = holders_of(classes, workers);
    std::vector<std::vector<int32_t>> parts(static_cast<size_t>(workers));
    for (size_t c = 0; c < of_class.size(); ++c) {
      const auto n = static_cast<int64_t>(of_class[c].size()), h = static_cast<int64_t>(holders[c].size());
      if (n > 0 && h == 0)
        params_.fail("labels", fmt::format("gives class {} ({} samples) to no worker; add it to a row", c, n));
      for (int64_t k = 0; k < h; ++k) {
        auto& part = parts[holders[c][k]];
        part.insert(part.end(), of_class[c].begin() + k * n / h, of_class[c].begin() + (k + 1) * n / h);
      }
    }
    for (size_t w = 0; w < parts.size(); ++w)
      if (parts[w].empty())
        throw DataError(fmt::format(
            "partition: {} training samples of {} classes leave worker {} of {} without samples of its classes; "
            "lower network.workers or use more data",
            labels.size(), classes, w, workers));
    return join(parts);
  }

 private:
  // The workers that hold each class, in ascending order.
  std::vector<std::vector<int64_t>> holders_of(int classes, int64_t workers) const {
    std::vector<std::vector<int64_t>> of(static_cast<size_t>(classes));
    for (int64_t w = 0; w < workers; ++w) {
      if (rows_.empty()) {
        for (int64_t c = w % classes; c < classes; c += workers) of[c].push_back(w);
        continue;
      }
      for (const int64_t c : rows_[w % static_cast<int64_t>(rows_.size())]) {
        if (c >= classes)
          params_.fail("labels",
                       fmt::format("names class {}, but the data set has the classes 0..{}; lower it", c, classes - 1));
        of[c].push_back(w);
      }
    }
    return of;
  }

  Params params_;  // for messages that name the line
  std::vector<std::vector<int64_t>> rows_;
};

}  // namespace

extern const Entry<Partitioner> by_label{
    "by-label", "whole classes to workers, in turn or as labels says",
    [](Params& p) -> std::unique_ptr<Partitioner> { return std::make_unique<ByLabel>(p); }};

}  // namespace orrery::partition
