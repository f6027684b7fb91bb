#include "cli/data_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/data_table.hpp"
#include "cli/options.hpp"
#include "datasets/catalogue.hpp"
#include "datasets/dataset.hpp"
#include "datasets/folders.hpp"
#include "runtime/run.hpp"
#ifdef ORRERY_WITH_FETCH
#include "datasets/fetch.hpp"
#endif

namespace orrery {
namespace {

const PublishedSet* find_set(const std::string& name) {
  for (const auto& s : published_sets())
    if (s.name == name) return &s;
  return nullptr;
}

[[noreturn]] void fail_unknown_set(const std::string& command, const std::string& name,
                                   const std::vector<std::string>& known, const std::string& also) {
  const std::string near = nearest(name, known);
  throw ExperimentError(fmt::format("data {}: unknown name \"{}\"; {}give one of {}{}", command, name,
                                    near.empty() ? "" : fmt::format("did you mean \"{}\"? ", near),
                                    fmt::join(known, ", "), also));
}

// The folder with most of the set's files, and how many it holds.
std::pair<std::string, size_t> best_folder(const PublishedSet& set) {
  std::pair<std::string, size_t> best{"", 0};
  for (const auto& folder : data_folders("", set.folders)) {
    size_t found = 0;
    for (const auto& file : set.files) {
      std::string stem = file.name;
      if (stem.ends_with(".gz")) stem.resize(stem.size() - 3);
      found += !find_data_file(folder, {stem}).empty();
    }
    if (found > best.second) best = {folder, found};
  }
  return best;
}

#ifdef ORRERY_WITH_FETCH

// On a terminal one line that is rewritten; in a pipe one line per file, when it is there.
class FetchLine {
 public:
  explicit FetchLine(bool quiet) : show_(!quiet && isatty(STDERR_FILENO)) {}
  ~FetchLine() { clear(); }
  void show(const FetchProgress& p) {
    if (!show_) return;
    constexpr double mib = 1 << 20;
    const auto done = static_cast<double>(p.done), total = static_cast<double>(p.total);
    std::string line = fmt::format("{}  {:.1f}", p.name, done / mib);
    if (p.total > 0) line += fmt::format(" of {:.1f} MiB  {:.0f} %", total / mib, 100 * done / total);
    line += fmt::format("{}  {:.2f} MiB/s", p.total > 0 ? "" : " MiB", p.bytes_per_second / mib);
    if (p.total > 0 && p.bytes_per_second > 0)
      line += fmt::format("  {:.0f} s left", (total - done) / p.bytes_per_second);
    fmt::print(stderr, "\r{}\033[K", line);
    std::fflush(stderr);
    open_ = true;
  }
  void clear() {
    if (open_) fmt::print(stderr, "\r\033[K");
    open_ = false;
  }

 private:
  bool show_, open_ = false;
};

#endif

}  // namespace

DataCommand::DataCommand(CLI::App& app)
    : data_(app.add_subcommand("data", "list, inspect or fetch data sets")),
      list_(data_->add_subcommand("list", "list the data sets, and where their files are")),
      inspect_(data_->add_subcommand("inspect", "load a data set and print what is in it")),
      fetch_(data_->add_subcommand("fetch", "download the files of a data set")) {
  data_->require_subcommand(1);
  inspect_->add_option("WHAT", what_, "name of a data set, or an experiment file (TOML)")->required();
  inspect_->add_option("--set", sets_, "data.key=value: override a key; may be repeated")
      ->take_all()
      ->expected(1)
      ->delimiter('\0');
  fetch_->add_option("NAME", name_, "mnist, fashion-mnist, a9a, w8a, mushrooms, phishing")->required();
  fetch_->add_option("--url", url_, "folder on another server that holds the same files");
  fetch_->add_option("--to", to_, "folder to write to (default: where the set is looked for first)");
  fetch_->add_flag("--quiet", quiet_, "print nothing but errors");
}

int DataCommand::run(const std::atomic<bool>& interrupted) const {
  if (*list_) return list();
  if (*inspect_) return inspect();
  return fetch(interrupted);
}

int DataCommand::list() const {
  fmt::print("{:<18} {:<10} {}\n", "name", "files", "where");
  for (const auto& set : published_sets()) {
    if (set.files.empty()) {
      fmt::print("{:<18} {:<10} {}\n", set.name, "-", set.note);
      continue;
    }
    const auto [folder, found] = best_folder(set);
    const std::string where = found > 0         ? folder
                              : set.url.empty() ? set.note
                                                : fmt::format("orrery data fetch {}", set.name);
    fmt::print("{:<18} {:<10} {}\n", set.name,
               found == set.files.size() ? "found"
               : found == 0              ? "missing"
                                         : fmt::format("{} of {}", found, set.files.size()),
               where);
  }
  return 0;
}

int DataCommand::inspect() const {
  // [data] of an experiment file, or of the name alone.
  std::error_code ignored;
  const PublishedSet* set = find_set(what_);
  const bool file = !set && (what_.ends_with(".toml") || std::filesystem::is_regular_file(what_, ignored));
  if (!set && !file) {
    std::vector<std::string> known;
    for (const auto& s : published_sets()) known.push_back(s.name);
    fail_unknown_set("inspect", what_, known, ", or an experiment file");
  }
  Params document = file ? Params::from_file(what_)
                         : Params::from_text(fmt::format("[data]\nname = \"{}\"\n{}", set->entry, set->toml), what_);
  for (const auto& [key, value] : split_sets(sets_)) document.set(key, value);
  if (!document.has("data"))
    throw ExperimentError(fmt::format("{}: has no section [data]; give an experiment that uses a data set", what_));
  Params data = document.table("data");
  const auto source = make_data_source(data);
  data.require_all_read();

  std::string notice;
  const Dataset d = source->load(&notice);
  if (!notice.empty()) fmt::print(stderr, "orrery: {}\n", notice);
  fmt::print("{}", describe_dataset(d));
  return 0;
}

int DataCommand::fetch([[maybe_unused]] const std::atomic<bool>& interrupted) const {
  const PublishedSet* set = find_set(name_);
  if (!set) {
    std::vector<std::string> known;
    for (const auto& s : published_sets())
      if (!s.url.empty()) known.push_back(s.name);
    fail_unknown_set("fetch", name_, known, "");
  }
  if (set->url.empty())
    throw ExperimentError(
        fmt::format("data fetch: {} {}{}", name_, set->note, set->files.empty() ? "; fetch another set" : ""));
#ifdef ORRERY_WITH_FETCH
  FetchOptions options;
  options.url = url_;
  options.to = to_;
  if (to_.empty()) {
    const std::vector<std::string> folders = data_folders("", set->folders);
    if (folders.empty())
      throw ExperimentError("data fetch: neither ORRERY_DATA nor HOME is set; give a folder with --to");
    options.to = folders.front();
  }
  FetchLine line(quiet_);
  options.progress = [&](const FetchProgress& p) {
    line.show(p);
    return !interrupted;
  };
  options.finished = [&](const FetchedFile& f) {
    line.clear();
    const char* how = f.how == Fetched::kept ? "was there" : f.how == Fetched::resumed ? "completed" : "fetched";
    if (quiet_) return;
    fmt::print("{:<10} {:>10} bytes  {}\n", how, f.bytes, f.path);
    std::fflush(stdout);
  };
  try {
    orrery::fetch(*set, options);
  } catch (const FetchStopped& e) {
    line.clear();
    throw Interrupted(e.what());
  }
  return 0;
#else
  throw ExperimentError(
      "data fetch: this program was built without libcurl; configure with -DORRERY_FETCH=ON, or "
      "download the files by hand (docs/data.md)");
#endif
}

}  // namespace orrery
