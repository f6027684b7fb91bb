// Finding one's way in a page, for the report's tests; no parser, just what these pages need.
#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

namespace orrery::example {

inline int count(std::string_view text, std::string_view part) {
  int n = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// The <figure> of a metric.
inline std::string figure(const std::string& html, const std::string& metric) {
  const size_t at = html.find("data-metric=\"" + metric + "\"");
  return at == std::string::npos ? "" : html.substr(at, html.find("</figure>", at) - at);
}

inline std::string section(const std::string& html, const std::string& title) {
  const size_t at = html.find("<h2>" + title);
  return at == std::string::npos ? "" : html.substr(at, html.find("</section>", at) - at);
}

// Every d="..." of the lines in a figure.
inline std::vector<std::string> lines(const std::string& fig) {
  std::vector<std::string> found;
  const std::string_view open = "<path class=\"line\"";
  for (size_t at = fig.find(open); at != std::string::npos; at = fig.find(open, at + 1)) {
    const size_t d = fig.find(" d=\"", at) + 4;
    found.push_back(fig.substr(d, fig.find('"', d) - d));
  }
  return found;
}

// The first thing that keeps a page from being well-formed, or nothing: tags nest, attributes are quoted and occur
// once, & opens an entity.
inline std::string fault(const std::string& html) {
  std::vector<std::string> open;
  for (size_t at = 0; at < html.size(); ++at) {
    if (html[at] == '>') return "stray > at " + std::to_string(at);
    if (html[at] == '&') {
      const size_t end = html.find(';', at);
      if (end == std::string::npos || end - at > 6) return "bare & at " + std::to_string(at);
    }
    if (html[at] != '<') continue;
    if (html.compare(at, 9, "<!DOCTYPE") == 0) {
      at = html.find('>', at);
      continue;
    }
    size_t i = at + 1;
    const bool closing = html[i] == '/';
    if (closing) ++i;
    std::string name;
    while (i < html.size() && std::isalnum(static_cast<unsigned char>(html[i]))) name += html[i++];
    if (name.empty()) return "bare < at " + std::to_string(at);
    std::vector<std::string> attributes;
    while (i < html.size() && html[i] != '>' && html[i] != '/') {
      while (std::isspace(static_cast<unsigned char>(html[i]))) ++i;
      std::string attribute;
      while (std::isalnum(static_cast<unsigned char>(html[i])) || html[i] == '-') attribute += html[i++];
      if (attribute.empty()) break;
      for (const auto& a : attributes)
        if (a == attribute) return "attribute " + attribute + " twice in " + name;
      attributes.push_back(attribute);
      if (html.compare(i, 2, "=\"") != 0) return "attribute " + attribute + " of " + name + " is not quoted";
      const size_t end = html.find('"', i + 2);
      if (html.substr(i, end - i).find('<') != std::string::npos) return "< in attribute " + attribute;
      i = end + 1;
    }
    const bool empty = html[i] == '/';
    if (empty) ++i;
    if (i >= html.size() || html[i] != '>') return "tag " + name + " does not end at " + std::to_string(i);
    at = i;
    if (closing) {
      if (open.empty() || open.back() != name)
        return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
      open.pop_back();
    } else if (!empty) {
      open.push_back(name);
      if (name == "style") at = html.find("</style>", at) - 1;
    }
  }
  return open.empty() ? "" : "never closed: " + open.back();
}

}  // namespace orrery::example
