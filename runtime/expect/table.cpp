#include "runtime/expect/table.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace orrery {
namespace {

// Columns on a terminal: letters, not bytes.
size_t width(const std::string& s) {
  return static_cast<size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}
std::string padded(const std::string& s, size_t to) { return s + std::string(to - std::min(to, width(s)), ' '); }

}  // namespace

std::string text(const ExpectTable& table) {
  if (table.lines.empty()) return "";
  size_t what = 4, expected = 8;
  for (const auto& line : table.lines) {
    what = std::max(what, width(line.what));
    expected = std::max(expected, width(line.expected));
  }
  std::string out = fmt::format("expected beside measured{}\n", table.source.empty() ? "" : " (" + table.source + ")");
  out += fmt::format("{:<7}  {}  {}  measured\n", "holds", padded("what", what), padded("expected", expected));
  for (const auto& line : table.lines) {
    out += fmt::format("{:<7}  {}  {}  {}", name(line.verdict), padded(line.what, what),
                       padded(line.expected, expected), line.measured);
    if (!line.note.empty()) out += "   # " + line.note;
    out += "\n";
  }
  out += fmt::format("{} of {} judged rows hold\n", table.count(Verdict::yes),
                     table.count(Verdict::yes) + table.count(Verdict::no));
  return out;
}

}  // namespace orrery
