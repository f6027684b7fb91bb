#include "runtime/parameter_metric.hpp"

#include <fmt/format.h>

#include <charconv>

namespace orrery {
namespace {

// The number that is all of `text`; empty where it is none.
std::optional<int64_t> whole_number(std::string_view text) {
  int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc() || end != text.data() + text.size() || n < 0) return std::nullopt;
  return n;
}

}  // namespace

std::optional<ParameterMetric> parameter_metric(const std::string& metric) {
  constexpr std::string_view of_mean = "mean_parameter_", of_worker = "parameter_";
  const std::string_view name = metric;
  if (name.starts_with(of_mean)) {
    const auto k = whole_number(name.substr(of_mean.size()));
    return k ? std::optional(ParameterMetric{{}, *k}) : std::nullopt;
  }
  if (!name.starts_with(of_worker)) return std::nullopt;
  const std::string_view rest = name.substr(of_worker.size());
  const size_t bar = rest.find('_');
  if (bar == std::string_view::npos) return std::nullopt;
  const auto i = whole_number(rest.substr(0, bar)), k = whole_number(rest.substr(bar + 1));
  return i && k ? std::optional(ParameterMetric{i, *k}) : std::nullopt;
}

void check_parameter_metric(const Params& record, const std::string& metric, const Arm& arm, const std::string& key) {
  const auto what = *parameter_metric(metric);
  if (arm.model->needs_data())
    record.fail(key, fmt::format("\"{}\" is for models without data, and \"{}\" is trained on some; set "
                                 "record.params = true to keep all parameters",
                                 metric, arm.model->kind()));
  const int64_t parameters = arm.model->parameters(0, 0), workers = arm.network->workers;
  if (what.parameter >= parameters)
    record.fail(key, fmt::format("\"{}\" is beyond the {} parameters of the model; name one from 0 to {}", metric,
                                 parameters, parameters - 1));
  if (what.worker.value_or(0) >= workers)
    record.fail(key,
                fmt::format("\"{}\" is beyond the {} workers; name one from 0 to {}", metric, workers, workers - 1));
}

}  // namespace orrery
