#include "runtime/expect/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/median.hpp"

namespace orrery::expect {
namespace {
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
}

double mean_of(const Reading& r) {
  double sum = 0;
  for (double v : r) sum += v;
  return r.empty() ? kNaN : sum / static_cast<double>(r.size());
}
double median_of(const Reading& r) { return r.empty() ? kNaN : median(r); }
namespace {
double deviation_of(const Reading& r) {
  const double m = mean_of(r);
  double squares = 0;
  for (double v : r) squares += (v - m) * (v - m);
  return r.size() > 1 ? std::sqrt(squares / static_cast<double>(r.size() - 1)) : 0;
}
}  // namespace

std::string show(double v) { return std::isfinite(v) ? fmt::format("{:.6g}", v) : "not finite"; }
std::string show(const Reading& r) {
  const double d = deviation_of(r);
  if (r.size() < 2 || !std::isfinite(d)) return show(mean_of(r));
  // two digits of the deviation decide the mean's
  if (d <= 1e-7 * std::abs(mean_of(r))) return show(mean_of(r));
  const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(d))), 0, 12);
  return std::abs(mean_of(r)) < 1e-3 || std::abs(mean_of(r)) >= 1e6
             ? fmt::format("{:.4g} ± {:.2g}", mean_of(r), d)
             : fmt::format("{:.{}f} ± {:.{}f}", mean_of(r), decimals, d, decimals);
}

std::string show_median(const Reading& r) {
  const double m = median_of(r);
  return std::isinf(m) ? "-" : show(m);
}

const std::vector<std::vector<double>>& Reader::replicas(const std::string& arm, const std::string& metric) const {
  const auto a = std::find(m_.arms.begin(), m_.arms.end(), arm) - m_.arms.begin();
  const auto k = std::find(m_.metrics.begin(), m_.metrics.end(), metric) - m_.metrics.begin();
  return (*m_.values.at(static_cast<size_t>(a))).at(static_cast<size_t>(k));
}

std::optional<Reading> Reader::at(const std::string& arm, const std::string& metric, const Moment& moment) const {
  const auto& steps = m_.record_steps;
  const auto point = std::find(steps.begin(), steps.end(), moment.step) - steps.begin();
  if (moment.kind == Moment::Kind::step && point == static_cast<std::ptrdiff_t>(steps.size())) return std::nullopt;
  Reading out;
  for (const auto& series : replicas(arm, metric)) switch (moment.kind) {
      case Moment::Kind::last:
      case Moment::Kind::every: out.push_back(series.back()); break;  // every: judged step by step elsewhere
      case Moment::Kind::step: out.push_back(series.at(static_cast<size_t>(point))); break;
      case Moment::Kind::min:
      case Moment::Kind::max: {
        const double sign = moment.kind == Moment::Kind::max ? 1 : -1;
        double most = series.front();
        for (double v : series) most = std::isnan(v) || sign * v > sign * most ? v : most;
        out.push_back(most);
        break;
      }
      case Moment::Kind::mean: {
        if (moment.until && *moment.until > steps.back()) return std::nullopt;  // a run that ends within
        const size_t n = std::max<size_t>(1, series.size() - 1);
        double sum = 0, points = 0;
        for (size_t t = 0; t < n; ++t)
          if (static_cast<double>(steps[t]) >= moment.from && steps[t] < moment.until.value_or(steps.back() + 1))
            sum += series[t], points += 1;
        if (points == 0) return std::nullopt;  // a run that ends before
        out.push_back(sum / points);
        break;
      }
      case Moment::Kind::decay: {
        const auto at = [&](double step) {
          return std::find_if(steps.begin(), steps.end(), [&](int64_t s) { return static_cast<double>(s) == step; });
        };
        const auto first = at(moment.from), last = at(static_cast<double>(moment.until.value_or(steps.back())));
        if (first == steps.end() || last <= first || last == steps.end()) return std::nullopt;  // a shortened run
        const auto value = [&](auto step) { return series.at(static_cast<size_t>(step - steps.begin())); };
        out.push_back(std::log(value(first) / value(last)) / (static_cast<double>(*last - *first) * moment.unit));
        break;
      }
    }
  return out;
}

std::vector<double> Reader::axis(const std::string& arm, const std::string& along) const {
  std::vector<double> x;
  for (size_t t = 0; t < m_.record_steps.size(); ++t) {
    Reading now;
    if (along != "step")
      for (const auto& series : replicas(arm, along)) now.push_back(series.at(t));
    x.push_back(along == "step" ? static_cast<double>(m_.record_steps[t]) : mean_of(now));
  }
  return x;
}

std::optional<Reading> Reader::between(const std::string& arm, const std::string& metric, const std::string& along,
                                       double x) const {
  const auto places = axis(arm, along);
  const auto above = static_cast<size_t>(std::lower_bound(places.begin(), places.end(), x) - places.begin());
  if (above == places.size()) return std::nullopt;
  Reading out;
  for (const auto& series : replicas(arm, metric)) {
    if (above == 0 || places[above] == x) {
      out.push_back(series[above]);
      continue;
    }
    const double part = (x - places[above - 1]) / (places[above] - places[above - 1]);
    out.push_back(series[above - 1] + part * (series[above] - series[above - 1]));
  }
  return out;
}

std::optional<double> Reader::reached(const std::string& arm, const std::string& metric, double level,
                                      const std::string& what) const {
  const auto across = [&](const std::string& name, size_t t) {
    Reading now;
    for (const auto& series : replicas(arm, name)) now.push_back(series.at(t));
    return mean_of(now);
  };
  for (size_t t = 0; t < m_.record_steps.size(); ++t)
    if (across(metric, t) <= level) return what == "step" ? static_cast<double>(m_.record_steps[t]) : across(what, t);
  return std::nullopt;
}

}  // namespace orrery::expect
