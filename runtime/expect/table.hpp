// The judged rows, as text for people and numbers for programs. Plain data: the report includes it.
#pragma once

#include <string>
#include <vector>

namespace orrery {

enum class Verdict { yes, no, open };  // open: nothing to judge, or not measured by this run
inline const char* name(Verdict v) { return v == Verdict::yes ? "yes" : v == Verdict::no ? "NO" : "-"; }

struct ExpectLine {
  std::string kind, metric, at;
  std::vector<std::string> arms;
  std::string what, expected, measured, note;  // to be read
  std::vector<double> values;                  // what was judged: a mean per arm; for a ratio and for reach the ratio
  Verdict verdict = Verdict::open;
};

struct ExpectTable {
  std::string source;
  std::vector<ExpectLine> lines;
  int count(Verdict v) const {
    int n = 0;
    for (const auto& line : lines) n += line.verdict == v;
    return n;
  }
};

std::string text(const ExpectTable&);  // the table on the terminal; empty without lines

}  // namespace orrery
