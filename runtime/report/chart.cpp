#include "runtime/report/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "runtime/report/numbers.hpp"
#include "runtime/report/svg.hpp"

namespace orrery::report {
namespace {

constexpr double kWidth = 560, kHeight = 330, kTop = 20, kRight = 18, kBottom = 48;
constexpr double kLetter = 6.9;       // width of a digit at 12 px, on the wide side
constexpr size_t kHoverPoints = 60;   // tooltips per line
constexpr size_t kLinePoints = 1500;  // more than the pixels; longer series are thinned

class Canvas {
 public:
  explicit Canvas(const Chart& chart) : chart_(chart), least_(least(chart)), x_(axis(true)), y_(axis(false)) {
    size_t longest = 2;
    for (const Tick& t : y_.ticks()) longest = std::max(longest, count_letters(t.label) + (t.exponent ? 3 : 0));
    left_ = 36 + kLetter * static_cast<double>(longest);
  }

  std::string draw() {
    out_ = open_svg(kWidth, kHeight, chart_.title);
    frame();
    for (const Series& s : chart_.series) band(s);
    for (const Series& s : chart_.series) line(s);
    for (const Series& s : chart_.series) tooltips(s);
    return out_ + "</svg>\n";
  }

 private:
  bool shown(const Point& p) const {
    return drawable(p.x) && drawable(p.mean) && (!chart_.x_log || p.x > 0) &&
           (!chart_.y_log || (p.mean > 0 && p.mean >= least_));
  }
  static double least(const Chart& chart) {  // that a logarithmic axis shows
    std::vector<double> means;
    for (const Series& s : chart.series)
      for (const Point& p : s.points)
        if (drawable(p.mean)) means.push_back(p.mean);
    return chart.y_log ? rounding_level(means) : 0;
  }

  Axis axis(bool horizontal) const {
    double low = INFINITY, high = -INFINITY;
    const bool log = horizontal ? chart_.x_log : chart_.y_log;
    const auto cover = [&](double v) {
      if (drawable(v) && (!log || v > 0)) low = std::min(low, v), high = std::max(high, v);
    };
    for (const Series& s : chart_.series)
      for (const Point& p : s.points) {
        if (horizontal && drawable(p.mean)) cover(p.x);  // also of a zero that a log axis leaves out
        if (horizontal || !shown(p)) continue;
        cover(p.mean);
        if (s.band) cover(p.low), cover(p.high);
      }
    if (log) return Axis::logarithmic(low, high, horizontal ? 0 : 0.03, horizontal ? 6 : 7);
    if (horizontal) return Axis::linear(low, high, chart_.x_labels, 5);
    const double room = 0.04 * (high - low);
    const double floor =
        low >= 0 && low - room < 0 ? low : low - room;  // no axis below zero for what is never negative
    return Axis::linear(floor, high + room, chart_.y_labels, 5);
  }

  double px(double x) const { return left_ + x_.at(x) * (kWidth - kRight - left_); }
  double py(double y) const { return kHeight - kBottom - y_.at(y) * (kHeight - kBottom - kTop); }
  static size_t count_letters(const std::string& utf8) {
    return std::count_if(utf8.begin(), utf8.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  }
  static std::string label(const Tick& t) {
    return t.exponent ? fmt::format("10<tspan dy=\"-5\" font-size=\"9\">{}{}</tspan>", *t.exponent < 0 ? "\u2212" : "",
                                    std::abs(*t.exponent))
                      : escape(t.label);
  }
  template <class... T>
  void add(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<T>(values)...);
  }

  void frame() {
    const double bottom = kHeight - kBottom, right = kWidth - kRight;
    std::string grid, faint;
    for (const Tick& t : y_.ticks())
      (t.label.empty() ? faint : grid) +=
          fmt::format("M{} {}H{}", coord(left_), coord(py(t.value)), coord(t.label.empty() ? left_ + 4 : right));
    for (const Tick& t : x_.ticks())
      faint += fmt::format("M{} {}v{}", coord(px(t.value)), coord(bottom), t.label.empty() ? -3 : 5);
    add("<path d=\"{}\" stroke=\"{}\" fill=\"none\"/><path d=\"{}M{} {}H{}\" stroke=\"{}\" fill=\"none\"/>\n", grid,
        kFaint, faint, coord(left_), coord(bottom), coord(right), kQuiet);
    for (const Tick& t : y_.ticks())
      if (!t.label.empty())
        add("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"{}\">{}</text>", coord(left_ - 7),
            coord(py(t.value) + 4), kQuiet, label(t));
    for (const Tick& t : x_.ticks())
      if (!t.label.empty())
        add("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"{}\">{}</text>", coord(px(t.value)),
            coord(bottom + 19), kQuiet, label(t));
    if (y_.common_exponent())
      add("<text x=\"{}\" y=\"12\" fill=\"{}\">×{}</text>", coord(left_), kQuiet,
          label({0, "10", y_.common_exponent()}));
    add("\n<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>", coord((left_ + right) / 2), coord(kHeight - 8),
        escape(chart_.x_title));
    add("<text transform=\"translate(13 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
        coord((kTop + bottom) / 2), escape(chart_.y_title));
  }

  // Consecutive drawable points: [begin, end) of each run.
  std::vector<std::pair<size_t, size_t>> runs(const Series& s) const {
    std::vector<std::pair<size_t, size_t>> found;
    for (size_t i = 0; i < s.points.size(); ++i) {
      if (!shown(s.points[i])) continue;
      if (found.empty() || found.back().second != i) found.emplace_back(i, i);
      found.back().second = i + 1;
    }
    return found;
  }

  // Of more points than pixels: the first, lowest and highest of each of 500 pieces, so that no peak is lost.
  std::vector<Point> thinned(const Series& s, size_t begin, size_t end) const {
    const auto first = s.points.begin() + begin, last = s.points.begin() + end;
    if (end - begin <= kLinePoints) return {first, last};
    std::vector<Point> kept;
    const size_t piece = (end - begin + 499) / 500;
    for (size_t at = begin; at < end; at += piece) {
      const auto from = s.points.begin() + at, to = s.points.begin() + std::min(at + piece, end);
      const auto [low, high] =
          std::minmax_element(from, to, [](const Point& a, const Point& b) { return a.mean < b.mean; });
      auto near = std::min(low, high), far = std::max(low, high);
      kept.push_back(*from);
      if (near != from) kept.push_back(*near);
      if (far != from && far != near) kept.push_back(*far);
    }
    kept.push_back(s.points[end - 1]);
    return kept;
  }

  void band(const Series& s) {
    if (!s.band) return;
    std::string d;
    for (const auto& [begin, end] : runs(s)) {
      const auto points = thinned(s, begin, end);
      for (size_t i = 0; i < points.size(); ++i)
        d += fmt::format("{}{} {}", i == 0 ? "M" : "L", coord(px(points[i].x)), coord(py(points[i].high)));
      for (auto p = points.rbegin(); p != points.rend(); ++p)
        d += fmt::format("L{} {}", coord(px(p->x)), coord(py(p->low)));
      d += "Z";
    }
    if (!d.empty())
      add("<path class=\"band\" data-arm=\"{}\" d=\"{}\" fill=\"{}\" fill-opacity=\"0.17\" stroke=\"{}\" "
          "stroke-opacity=\"0.17\" stroke-width=\"0.8\"/>\n",
          s.arm, d, arm_colour(s.arm), arm_colour(s.arm));
  }

  void line(const Series& s) {
    std::string d, lone;
    for (const auto& [begin, end] : runs(s)) {
      const auto points = thinned(s, begin, end);
      for (size_t i = 0; i < points.size(); ++i)
        d += fmt::format("{}{} {}", i == 0 ? "M" : "L", coord(px(points[i].x)), coord(py(points[i].mean)));
      if (points.size() == 1)
        lone += fmt::format("<circle class=\"lone\" cx=\"{}\" cy=\"{}\" r=\"3\" fill=\"{}\"/>", coord(px(points[0].x)),
                            coord(py(points[0].mean)), arm_colour(s.arm));
    }
    if (d.empty()) return;
    add("<path class=\"line\" data-arm=\"{}\" d=\"{}\" stroke=\"{}\" stroke-width=\"1.8\" stroke-linejoin=\"round\" "
        "stroke-dasharray=\"{}\" "
        "fill=\"none\"/>{}\n",
        s.arm, d, arm_colour(s.arm), arm_dash(s.arm), lone);
  }

  void tooltips(const Series& s) {
    const size_t every = (s.points.size() + kHoverPoints - 1) / kHoverPoints;
    for (size_t i = 0; i < s.points.size(); ++i) {
      const Point& p = s.points[i];
      if ((i % every != 0 && i + 1 != s.points.size()) || !shown(p)) continue;
      add("<circle class=\"tip\" cx=\"{}\" cy=\"{}\" r=\"6\" fill=\"transparent\"><title>{}{} {}: {}", coord(px(p.x)),
          coord(py(p.mean)), escape(s.name), s.name.empty() ? "" : ", ", escape(chart_.x_title), si(p.x));
      if (s.band)
        add(" \u2192 {} ({} \u2013 {})</title></circle>", plain(p.mean), plain(p.low), plain(p.high));
      else
        add(" \u2192 {}</title></circle>", plain(p.mean));
    }
    out_ += "\n";
  }

  const Chart& chart_;
  double least_;
  Axis x_, y_;
  double left_ = 60;
  std::string out_;
};

}  // namespace

std::string draw(const Chart& chart) { return Canvas(chart).draw(); }

}  // namespace orrery::report
