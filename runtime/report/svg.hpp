// Pieces of HTML and SVG text shared by all drawings. What is written is well-formed XML too, so that a figure can be
// cut out into a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace orrery::report {

std::string escape(
    std::string_view text);        // for text and for attributes in double quotes; control characters become U+FFFD
std::string coord(double pixels);  // at most two decimals, no trailing zeros
std::string open_svg(double width, double height,
                     std::string_view label);  // scales to the width of its box; close with </svg>

// The look of an arm, the same all over the page: colours of Okabe and Ito (2008) without yellow, and a dash that sets
// arms apart in grey.
std::string_view arm_colour(size_t arm);
std::string_view arm_dash(size_t arm);                     // stroke-dasharray; "none" for the first
std::string arm_label(size_t arm, std::string_view name);  // a short sample of the line, then the name

inline constexpr std::string_view kInk = "#22262b", kQuiet = "#5c646d", kRule = "#c9ced4", kFaint = "#e8ebee";

}  // namespace orrery::report
