#include "runtime/theory/theory_values.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace orrery {

using Json = nlohmann::json;

struct TheoryValues::Document {
  Json json;
};

TheoryValues::TheoryValues(const std::string& text)
    : document_(std::make_unique<Document>(Document{text.empty() ? Json() : Json::parse(text)})) {}
TheoryValues::~TheoryValues() = default;

std::optional<double> TheoryValues::find(size_t arm, const std::string& path) const {
  const Json& all = document_->json;
  if (!all.contains("arms") || arm >= all["arms"].size()) return std::nullopt;
  const Json* at = &all["arms"][arm];
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('.', begin), path.size());
    const std::string key = path.substr(begin, end - begin);
    begin = end + 1;
    if (at->is_array()) {
      size_t index = 0;
      const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), index);
      if (error != std::errc() || stop != key.data() + key.size() || index >= at->size()) return std::nullopt;
      at = &(*at)[index];
    } else {
      if (!at->is_object() || !at->contains(key)) return std::nullopt;
      at = &(*at)[key];
    }
  }
  return at->is_number() ? std::optional(at->get<double>()) : std::nullopt;
}

}  // namespace orrery
