// orrery data list | inspect | fetch: which data sets there are, what is in one, and how its files come here.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <string>
#include <vector>

namespace orrery {

class DataCommand {
 public:
  explicit DataCommand(CLI::App& app);  // adds the subcommand
  bool given() const { return data_->parsed(); }
  bool fetches() const { return fetch_->parsed(); }     // the one that watches `interrupted`
  int run(const std::atomic<bool>& interrupted) const;  // the exit code; throws UserError and Interrupted

 private:
  int list() const;
  int inspect() const;
  int fetch(const std::atomic<bool>& interrupted) const;

  CLI::App *data_, *list_, *inspect_, *fetch_;
  std::string what_, name_, url_, to_;
  std::vector<std::string> sets_;
  bool quiet_ = false;
};

}  // namespace orrery
