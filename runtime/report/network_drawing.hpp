// The networks of a run as radial trees: top nodes inside, workers on the outer ring, the graph among the top nodes as
// chords.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/report/report.hpp"

namespace orrery::report {

inline constexpr std::string_view kSun = "#e0a100", kNode = "#57606a",
                                  kWorker = "#0072b2";  // top nodes and graph, other nodes, workers

std::string network_figures(
    const ReportInput&);  // one <figure> per different network; arms that share one are named together

std::string draw_network(const ReportArm&, size_t number);  // the SVG alone; number: makes the ids on the page unique

bool differ(const std::vector<double>&);  // more than rounding apart

}  // namespace orrery::report
