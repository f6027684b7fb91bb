// Numbers of theory.json by name: what an experiment file compares with.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace orrery {

// path: keys joined by dots below the arm's object, elements of arrays by number: "h_sgd.A_2", "mll_sgd.bound.total", "table.3.predicted".
class TheoryValues {
 public:
  explicit TheoryValues(const std::string& theory_json);
  ~TheoryValues();
  std::optional<double> find(size_t arm, const std::string& path) const;  // empty: no such key, or no number there

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

}  // namespace orrery
