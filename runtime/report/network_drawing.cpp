#include "runtime/report/network_drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>
#include <numeric>

#include "runtime/report/numbers.hpp"
#include "runtime/report/svg.hpp"

namespace orrery::report {
namespace {

constexpr double kSize = 460, kCentre = kSize / 2, kOuter = 196;
constexpr int64_t kDots = 400;  // nodes of one ring drawn one by one
constexpr int64_t kArcs = 120;  // groups of workers drawn as arcs
constexpr int64_t kLabelledArcs = 40;
constexpr size_t kChords = 6000;

struct Ring {  // the workers, then tier after tier
  std::vector<double> angle;
  std::vector<int64_t> parent;  // in the next ring; -1 above the top
  double radius = 0;
  int64_t nodes() const { return static_cast<int64_t>(angle.size()); }
  bool dots() const { return nodes() <= kDots; }
};

class Drawing {
 public:
  Drawing(const ReportArm& arm, size_t number)
      : arm_(arm),
        number_(number),
        workers_(arm.network.workers),
        rates_differ_(differ(arm.rates)),
        weights_differ_(differ(arm.weights)) {
    place();
  }

  std::string draw() {
    out_ = open_svg(kSize, kSize + (rates_differ_ ? 44 : 0), "network");
    orbits();
    chords();
    for (size_t k = rings_.size(); k-- > 0;)
      if (k > 0 || rings_[0].dots()) links(k);
    if (!rings_[0].dots()) arcs();
    for (size_t k = rings_.size(); k-- > 1;) nodes(k);
    if (rings_[0].dots()) workers();
    if (rates_differ_) rate_scale();
    return out_ + "</svg>\n";
  }

 private:
  template <class... T>
  void add(fmt::format_string<T...> format, T&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<T>(values)...);
  }
  static std::string at(double radius, double angle) {
    return coord(kCentre + radius * std::cos(angle)) + " " + coord(kCentre + radius * std::sin(angle));
  }

  // Workers around the circle in the order of the tree, so that no two links of the tree cross; a node stands above the
  // middle of its workers.
  void place() {
    std::vector<int64_t> order(workers_);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t i, int64_t j) {
      for (size_t t = arm_.tiers.size(); t-- > 0;)
        if (arm_.tiers[t].node_of[i] != arm_.tiers[t].node_of[j])
          return arm_.tiers[t].node_of[i] < arm_.tiers[t].node_of[j];
      return false;
    });
    const auto group = [&](int64_t worker) { return arm_.tiers.empty() ? 0 : arm_.tiers[0].node_of[worker]; };
    const int64_t groups = arm_.tiers.empty() ? 1 : arm_.tiers[0].nodes();
    const double gap = groups > 1 && groups * 2 <= workers_ ? 0.9 : 0;  // between groups, in worker places
    const double turn = 2 * std::numbers::pi / (static_cast<double>(workers_) + gap * static_cast<double>(groups));
    rings_.resize(arm_.tiers.size() + 1);
    rings_[0].angle.resize(workers_), rings_[0].parent.assign(workers_, -1);
    double place = gap / 2;
    for (size_t k = 0; k < order.size(); ++k) {
      if (k > 0 && group(order[k]) != group(order[k - 1])) place += gap;
      rings_[0].angle[order[k]] = -std::numbers::pi / 2 + turn * (place + 0.5);
      place += 1;
    }
    turn_ = turn;
    for (size_t t = 0; t < arm_.tiers.size(); ++t) {
      const Groups& tier = arm_.tiers[t];
      if (t == 0) rings_[0].parent = tier.node_of;
      Ring& ring = rings_[t + 1];
      ring.angle.assign(tier.nodes(), 0), ring.parent.assign(tier.nodes(), -1);
      for (int64_t n = 0; n < tier.nodes(); ++n) {
        const int64_t count = tier.begin[n + 1] - tier.begin[n];
        for (int64_t m = tier.begin[n]; m < tier.begin[n + 1]; ++m)
          ring.angle[n] += rings_[0].angle[tier.member[m]] / static_cast<double>(count);
        if (count > 0 && t + 1 < arm_.tiers.size())
          ring.parent[n] = arm_.tiers[t + 1].node_of[tier.member[tier.begin[n]]];
      }
    }
    const double inner = rings_.back().nodes() == 1 ? 0 : rings_.size() == 1 ? kOuter : 0.36 * kOuter;
    const double levels = static_cast<double>(std::max<size_t>(rings_.size() - 1, 1));
    for (size_t k = 0; k < rings_.size(); ++k)
      rings_[k].radius = inner + (kOuter - inner) * static_cast<double>(rings_.size() - 1 - k) / levels;
  }

  void orbits() {
    for (const Ring& ring : rings_)
      if (ring.radius > 0)
        add("<circle class=\"orbit\" cx=\"{0}\" cy=\"{0}\" r=\"{1}\" stroke=\"{2}\" fill=\"none\"/>\n", coord(kCentre),
            coord(ring.radius), kFaint);
  }

  void chords() {
    const Ring& top = rings_.back();
    if (arm_.edges.empty()) return;
    if (arm_.edges.size() > kChords || !top.dots()) {
      add("<circle class=\"graph\" cx=\"{0}\" cy=\"{0}\" r=\"{1}\" fill=\"{2}\" fill-opacity=\"0.12\"/>\n",
          coord(kCentre), coord(top.radius), kSun);
      return;
    }
    std::string d;
    for (const auto& [i, j] : arm_.edges) d += "M" + at(top.radius, top.angle[i]) + "L" + at(top.radius, top.angle[j]);
    const double many = static_cast<double>(arm_.edges.size());
    add("<path class=\"graph\" d=\"{}\" stroke=\"{}\" stroke-width=\"{}\" stroke-opacity=\"{}\" fill=\"none\"/>\n", d,
        kSun, coord(many > 150 ? 0.8 : 1.5), coord(std::clamp(12 / std::sqrt(many), 0.2, 0.9)));
  }

  void links(size_t k) {
    const Ring& ring = rings_[k];
    if (k + 1 == rings_.size() || !ring.dots() || !rings_[k + 1].dots()) return;
    std::string d;
    for (int64_t n = 0; n < ring.nodes(); ++n)
      if (ring.parent[n] >= 0)
        d += "M" + at(ring.radius, ring.angle[n]) + "L" + at(rings_[k + 1].radius, rings_[k + 1].angle[ring.parent[n]]);
    add("<path class=\"links\" d=\"{}\" stroke=\"{}\" stroke-width=\"{}\" fill=\"none\"/>\n", d, kRule,
        k == 0 ? "0.7" : "1.2");
  }

  void nodes(size_t k) {
    const Ring& ring = rings_[k];
    if (!ring.dots()) return;
    const bool top = k + 1 == rings_.size();
    const double room = ring.radius > 0 ? 2.2 * ring.radius / static_cast<double>(ring.nodes()) : 11;
    const double size = std::clamp(room, 1.3, top ? (ring.nodes() == 1 ? 11.0 : 7.0) : 5.0);
    for (int64_t n = 0; n < ring.nodes(); ++n) {
      const std::string p = at(ring.radius, ring.angle[n]);
      const size_t blank = p.find(' ');
      add("<circle class=\"node\" cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\"><title>{} {}: {} workers</title></circle>",
          p.substr(0, blank), p.substr(blank + 1), coord(size), top ? kSun : kNode,
          escape(arm_.network.tiers[k - 1].name), n, arm_.tiers[k - 1].begin[n + 1] - arm_.tiers[k - 1].begin[n]);
    }
    out_ += "\n";
  }

  void workers() {
    const Ring& ring = rings_[0];
    const bool sized = weights_differ_;
    const double room = ring.nodes() == 1 ? 9 : 0.42 * turn_ * ring.radius;
    const double largest = sized ? *std::max_element(arm_.weights.begin(), arm_.weights.end()) : 1;
    const double size = std::clamp(sized ? 1.1 * room : room, 1.3, sized ? 9.0 : 6.0);
    for (int64_t i = 0; i < ring.nodes(); ++i) {
      const std::string p = at(ring.radius, ring.angle[i]);
      const size_t blank = p.find(' ');
      const double r = sized ? std::max(0.9, size * std::sqrt(std::max(arm_.weights[i], 0.0) / largest)) : size;
      add("<circle class=\"worker\" cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{}\" stroke=\"#fff\" "
          "stroke-width=\"0.6\"><title>worker {}",
          p.substr(0, blank), p.substr(blank + 1), coord(r), colour(i), i);
      if (!arm_.weights.empty()) add(", weight {}", plain(arm_.weights[i]));
      if (!arm_.rates.empty()) add(", rate {}", plain(arm_.rates[i]));
      add("</title></circle>");
    }
    out_ += "\n";
  }

  // Too many workers for dots: an arc with a count for each node of the finest tier that has few enough nodes, else one
  // full circle.
  void arcs() {
    size_t t = 0;
    while (t < arm_.tiers.size() && arm_.tiers[t].nodes() > kArcs) ++t;
    const bool whole = t == arm_.tiers.size() || arm_.tiers[t].nodes() == 1;
    if (whole) {
      add("<circle class=\"arc\" cx=\"{0}\" cy=\"{0}\" r=\"{1}\" stroke=\"{2}\" stroke-width=\"7\" fill=\"none\"/>",
          coord(kCentre), coord(kOuter), kWorker);
      add("<text x=\"{}\" y=\"18\" text-anchor=\"middle\" fill=\"{}\">{} workers</text>\n", coord(kCentre), kQuiet,
          with_spaces(workers_));
      return;
    }
    const Groups& tier = arm_.tiers[t];
    for (int64_t n = 0; n < tier.nodes(); ++n) {
      const int64_t count = tier.begin[n + 1] - tier.begin[n];
      if (count == 0) continue;
      double first = INFINITY, last = -INFINITY, rate = 0;
      for (int64_t m = tier.begin[n]; m < tier.begin[n + 1]; ++m) {
        const double a = rings_[0].angle[tier.member[m]];
        first = std::min(first, a), last = std::max(last, a);
        if (rates_differ_) rate += arm_.rates[tier.member[m]] / static_cast<double>(count);
      }
      const double pad = std::min(0.5 * turn_ * static_cast<double>(count), 0.006), a = first - turn_ / 2 + pad,
                   b = last + turn_ / 2 - pad;
      const std::string arc =
          fmt::format("A{0} {0} 0 {1} 1 {2}", coord(kOuter), b - a > std::numbers::pi ? 1 : 0, at(kOuter, b));
      add("<path class=\"wedge\" d=\"M{}L{}{}Z\" fill=\"{}\" fill-opacity=\"0.35\"/>",
          at(rings_[t + 1].radius, rings_[t + 1].angle[n]), at(kOuter, a), arc, kFaint);
      add("<path class=\"arc\" d=\"M{}{}\" stroke=\"{}\" stroke-width=\"7\" fill=\"none\"><title>{} "
          "workers</title></path>",
          at(kOuter, a), arc, rates_differ_ ? shade(rate) : std::string(kWorker), with_spaces(count));
      if (tier.nodes() > kLabelledArcs) continue;
      const double middle = (a + b) / 2;
      add("<text class=\"count\" x=\"{}\" y=\"{}\" text-anchor=\"{}\" font-size=\"11\" fill=\"{}\">{}</text>\n",
          coord(kCentre + (kOuter + 8) * std::cos(middle)), coord(kCentre + (kOuter + 12) * std::sin(middle) + 4),
          std::cos(middle) > 0.35    ? "start"
          : std::cos(middle) < -0.35 ? "end"
                                     : "middle",
          kQuiet, with_spaces(count));
    }
  }

  std::string shade(double rate) const {  // light to dark blue by rate
    const auto [low, high] = std::minmax_element(arm_.rates.begin(), arm_.rates.end());
    const double x = (rate - *low) / (*high - *low);
    constexpr std::array from = {178.0, 210.0, 236.0}, to = {6.0, 52.0, 104.0};
    const auto mix = [&](int c) { return static_cast<int>(std::lround(from[c] + x * (to[c] - from[c]))); };
    return fmt::format("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2));
  }
  std::string colour(int64_t worker) const { return rates_differ_ ? shade(arm_.rates[worker]) : std::string(kWorker); }

  void rate_scale() {
    const auto [low, high] = std::minmax_element(arm_.rates.begin(), arm_.rates.end());
    add("<defs><linearGradient id=\"rates-{}\"><stop offset=\"0\" stop-color=\"{}\"/><stop offset=\"1\" "
        "stop-color=\"{}\"/></linearGradient></defs>\n",
        number_, shade(*low), shade(*high));
    add("<rect x=\"{}\" y=\"{}\" width=\"140\" height=\"8\" rx=\"2\" fill=\"url(#rates-{})\"/>", coord(kCentre - 70),
        coord(kSize + 14), number_);
    add("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"{}\">rate {}</text>", coord(kCentre - 78),
        coord(kSize + 22), kQuiet, plain(*low));
    add("<text x=\"{}\" y=\"{}\" fill=\"{}\">{}</text>\n", coord(kCentre + 78), coord(kSize + 22), kQuiet,
        plain(*high));
  }

  const ReportArm& arm_;
  size_t number_;
  int64_t workers_;
  bool rates_differ_, weights_differ_;
  double turn_ = 0;  // angle of one worker's place
  std::vector<Ring> rings_;
  std::string out_;
};

}  // namespace

bool differ(const std::vector<double>& v) {
  return std::any_of(v.begin(), v.end(), [&](double x) { return std::abs(x - v[0]) > 1e-9 * std::abs(v[0]); });
}

std::string draw_network(const ReportArm& arm, size_t number) { return Drawing(arm, number).draw(); }

}  // namespace orrery::report
