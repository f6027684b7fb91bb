#include "datasets/folders.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "datasets/catalogue.hpp"

namespace orrery {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

std::vector<std::string> data_folders(const std::string& path, const std::vector<std::string>& names) {
  if (!path.empty()) return {path};
  std::vector<std::string> roots;
  if (const std::string data = environment("ORRERY_DATA"); !data.empty()) roots.push_back(data);
  if (const std::string cache = environment("XDG_CACHE_HOME"); !cache.empty())
    roots.push_back(cache + "/orrery");
  else if (const std::string home = environment("HOME"); !home.empty())
    roots.push_back(home + "/.cache/orrery");
  std::vector<std::string> folders;
  for (const auto& root : roots)
    for (const auto& name : names) folders.push_back(root + "/" + name);
  return folders;
}

std::string find_data_file(const std::string& folder, const std::vector<std::string>& names) {
  for (const auto& name : names)
    for (const char* suffix : {"", ".gz"}) {
      const std::filesystem::path file = std::filesystem::path(folder) / (name + suffix);
      std::error_code ignored;  // a folder that cannot be entered holds nothing for us
      if (std::filesystem::is_regular_file(file, ignored)) return file.string();
    }
  return "";
}

void fail_missing_data(const std::string& name, const std::vector<std::string>& folders, const std::string& files,
                       const std::string& fetched) {
  const std::string tried =
      folders.empty() ? "no folder (neither ORRERY_DATA nor HOME is set)" : fmt::format("{}", fmt::join(folders, ", "));
  const auto& sets = published_sets();
  const bool fetchable =
      std::any_of(sets.begin(), sets.end(), [&](const auto& s) { return s.name == fetched && !s.url.empty(); });
  throw MissingData(
      fmt::format("{}: its files were not found in {}; {}put {} there, or set ORRERY_DATA or data.path to the folder "
                  "that holds them, or data.fallback = \"glyphs\"",
                  name, tried, fetchable ? fmt::format("run orrery data fetch {}, or ", fetched) : "", files));
}

}  // namespace orrery
