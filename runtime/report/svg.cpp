#include "runtime/report/svg.hpp"

#include <fmt/format.h>

#include <array>

namespace orrery::report {

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '\n':
      case '\t': out += c; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
          out += "\xEF\xBF\xBD";
        else
          out += c;
    }
  }
  return out;
}

std::string coord(double pixels) {
  std::string s = fmt::format("{:.2f}", pixels);
  s.erase(s.find_last_not_of('0') + 1);
  if (s.back() == '.') s.pop_back();
  return s == "-0" ? "0" : s;
}

std::string open_svg(double width, double height, std::string_view label) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" "
      "font-family=\"system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', sans-serif\" font-size=\"12\" "
      "fill=\"{}\">\n",
      coord(width), coord(height), escape(label), kInk);
}

std::string_view arm_colour(size_t arm) {
  static constexpr std::array<std::string_view, 7> colours = {"#0072b2", "#d55e00", "#009e73", "#b8569a",
                                                              "#b07d00", "#3fa3dc", "#3b3f45"};
  return colours[arm % colours.size()];
}

std::string_view arm_dash(size_t arm) {  // 5 dashes and 7 colours: 35 arms before a look repeats
  static constexpr std::array<std::string_view, 5> dashes = {"none", "8 3", "2.5 2.5", "9 3 2 3", "14 3 2 3 2 3"};
  return dashes[arm % dashes.size()];
}

std::string arm_label(size_t arm, std::string_view name) {
  return fmt::format(
      "<span class=\"{}\"><svg class=\"swatch\" viewBox=\"0 0 30 8\" aria-hidden=\"true\"><path d=\"M1 4H29\" "
      "stroke=\"{}\" "
      "stroke-width=\"2.2\" stroke-dasharray=\"{}\" fill=\"none\"/></svg>{}</span>",
      name.size() <= 36 ? "arm short" : "arm", arm_colour(arm), arm_dash(arm), escape(name));
}

}  // namespace orrery::report
