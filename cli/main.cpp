// The command line: arguments, load, run, write. The only place that prints or exits.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <new>

#include "cli/data_command.hpp"
#include "cli/options.hpp"
#include "cli/theory_command.hpp"
#include "runtime/compression/compressor.hpp"
#include "runtime/metrics.hpp"
#include "runtime/plan.hpp"
#include "runtime/run.hpp"
#include "runtime/run_folder.hpp"

namespace {

using namespace orrery;

std::atomic<bool> interrupted{false};
void on_signal(int) { interrupted = true; }

struct Arguments {
  std::string file, out, device, what;
  std::vector<std::string> sets;
  bool quiet = false, json = false, require_expectations = false;
  int threads = 0;
};

Experiment load(const Arguments& a) { return load_experiment(a.file, split_sets(a.sets), a.device); }

// On a terminal one line that is rewritten; in a pipe one line per record point.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO)) {}
  void show(const Progress& p) {
    if (quiet_) return;
    const double done = static_cast<double>(p.launch) +
                        (p.steps > 0 ? static_cast<double>(p.step) / static_cast<double>(p.steps) : 1.0);
    const double all = static_cast<double>(p.launches), left = done > 0 ? p.seconds * (all - done) / done : 0;
    const std::string launch = p.launches > 1 ? fmt::format("launch {}/{}  ", p.launch + 1, p.launches) : "";
    const std::string facts = fmt::format("{}step {}/{}  {} {:.5g}  {:.3g} worker-steps/s", launch, p.step, p.steps,
                                          p.first_metric, p.first_value, p.worker_steps_per_second);
    if (terminal_) {
      constexpr int width = 24;
      const int filled = static_cast<int>(width * done / all);
      fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {}  {:.0f} s left\033[K", "", filled, "", width - filled, facts, left);
      open_ = true;
    } else {
      fmt::print(stderr, "{}\n", facts);
    }
    std::fflush(stderr);
  }
  void sentence(const std::string& text) {
    if (quiet_) return;
    end();
    fmt::print(stderr, "orrery: {}\n", text);
  }
  void end() {
    if (open_) fmt::print(stderr, "\n");
    open_ = false;
  }

 private:
  bool quiet_, terminal_, open_ = false;
};

// Exit code 6 where the user asked that what must be seen is seen, and it was not. The run folder is there either way.
int judge_required(const Arguments& a, const Experiment& e, const ExpectTable& table, const std::string& folder) {
  const bool required = a.require_expectations || e.expect.required;
  if (!required || table.count(Verdict::no) == 0) return 0;
  fmt::print(stderr, "orrery: {}: {} of {} expectations do not hold; see expectations in {}/summary.json\n", e.file,
             table.count(Verdict::no), table.count(Verdict::yes) + table.count(Verdict::no), folder);
  return static_cast<int>(ExitCode::expectation);
}

int run_command(const Arguments& a) {
  const Experiment e = load(a);
  if (a.require_expectations && e.expect.empty())
    throw ExperimentError(
        fmt::format("--require-expectations: {} states nothing that must be seen; add rows to [expect]", e.file));
  RunFolder folder(e, a.out);
  ProgressLine line(a.quiet);
  RunOptions options;
  options.progress = [&](const Progress& p) { line.show(p); };
  options.notice = [&](const std::string& s) { line.sentence(s); };
  options.interrupt = &interrupted;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  RunResult result;
  try {
    result = run(e, options);
  } catch (...) {
    line.end();
    throw;
  }
  line.end();
  folder.commit(e, result);
  const ExpectTable expectations = judge(e, result);
  if (!a.quiet) {
    fmt::print("{}", final_table(e, result));
    fmt::print("{} worker-steps in {:.1f} s; peak memory {:.1f} MiB (planned {:.1f} MiB); results in {}\n",
               result.worker_steps, result.run_seconds, static_cast<double>(result.peak_memory) / (1 << 20),
               static_cast<double>(result.planned_memory) / (1 << 20), folder.path());
    if (const std::string table = text(expectations); !table.empty()) fmt::print("\n{}", table);
  }
  return judge_required(a, e, expectations, folder.path());
}

int check_command(const Arguments& a) {
  fmt::print("{}", describe_plan(load(a)));
  return 0;
}

template <class T>
void print_table(const char* title, const Table<T>& table) {
  fmt::print("{}\n", title);
  for (const auto* entry : table) fmt::print("  {:<24} {}\n", entry->name, entry->what);
}

int list_command(const Arguments& a) {
  const bool all = a.what.empty();
  if (all || a.what == "algorithms") print_table("algorithms", algorithm_table());
  if (all || a.what == "models") print_table("models", model_table());
  if (all || a.what == "datasets") print_table("datasets", data_table());
  if (all || a.what == "partitions") print_table("partitions", partition_table());
  if (all || a.what == "compressors") print_table("compressors", compressor_table());
  if (all || a.what == "metrics") {
    fmt::print("metrics\n");
    for (const auto& m : metric_table()) fmt::print("  {:<24} {}\n", m.name, m.what);
  }
  return 0;
}

int devices_command() {
  for (const auto& d : devices())
    fmt::print("{:<8} {}  {} {}  {:.1f} of {:.1f} GiB free  {}\n",
               d.backend == Backend::cpu ? "cpu" : fmt::format("cuda:{}", d.ordinal), d.name, d.units,
               d.backend == Backend::cpu ? "threads" : "multiprocessors",
               static_cast<double>(d.memory_free) / (1 << 30), static_cast<double>(d.memory_total) / (1 << 30),
               d.detail);
  return 0;
}

int command_line(int argc, char** argv) {
  Arguments a;
  CLI::App app{"Orrery: a GPU simulator of distributed SGD with hundreds to millions of virtual workers"};
  app.set_version_flag("--version", ORRERY_VERSION);
  app.require_subcommand(1);
  app.add_option("--threads", a.threads, "CPU threads (default: all); no result depends on it")
      ->check(CLI::Range(1, 4096));
  app.fallthrough();

  const auto with_file = [&](CLI::App* c) {
    c->add_option("FILE", a.file, "experiment file (TOML)")->required();
    c->add_option("--set", a.sets, "key=value: override a key of the file; may be repeated")
        ->take_all()
        ->expected(1)
        ->delimiter('\0');
    c->add_option("--device", a.device, "auto | cpu | cuda | cuda:<number>");
  };
  auto* run = app.add_subcommand("run", "run an experiment and write its run folder");
  with_file(run);
  run->add_option("--out", a.out, "run folder (default: runs/<name>-<n>)");
  run->add_flag("--require-expectations", a.require_expectations, "exit code 6 where a row of [expect] does not hold");
  run->add_flag("--quiet", a.quiet, "print nothing but errors");
  auto* check =
      app.add_subcommand("check", "validate an experiment and print its plan: schedule, memory, bits; start nothing");
  with_file(check);
  auto* theory = app.add_subcommand("theory", "print what theory says about an experiment: bounds, constants; no run");
  with_file(theory);
  theory->add_flag("--json", a.json, "the same as JSON");
  auto* list = app.add_subcommand("list", "list the parts that an experiment file can name");
  list->add_option("WHAT", a.what, "algorithms | models | datasets | partitions | compressors | metrics")
      ->check(CLI::IsMember({"algorithms", "models", "datasets", "partitions", "compressors", "metrics"}));
  auto* devices = app.add_subcommand("devices", "list the devices that answer");
  DataCommand data(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    const std::vector<std::string> commands{"run", "check", "theory", "list", "devices", "data"},
        of_data{"list", "inspect", "fetch"};
    const bool data_given = argc > 2 && std::string(argv[1]) == "data";
    const std::string word = argc > 1 ? argv[data_given ? 2 : 1] : "-";
    const auto& known = data_given ? of_data : commands;
    if (!word.starts_with('-') && std::find(known.begin(), known.end(), word) == known.end()) {
      const std::string near = nearest(word, known);
      fmt::print(stderr, "orrery: unknown command \"{}{}\"; {}see orrery {}--help\n", data_given ? "data " : "", word,
                 near.empty() ? "" : fmt::format("did you mean \"{}\"? ", near), data_given ? "data " : "");
      return static_cast<int>(ExitCode::experiment);
    }
    fmt::print(stderr, "orrery: {}; see orrery --help\n", e.what());
    return static_cast<int>(ExitCode::experiment);
  }
  if (a.threads > 0) set_threads(a.threads);
  if (*run) return run_command(a);
  if (*check) return check_command(a);
  if (*theory) return theory_command(load(a), a.json);
  if (*list) return list_command(a);
  if (*devices) return devices_command();
  if (data.given()) {
    if (data.fetches()) {
      std::signal(SIGINT, on_signal);
      std::signal(SIGTERM, on_signal);
    }
    return data.run(interrupted);
  }
  return static_cast<int>(ExitCode::experiment);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return command_line(argc, argv);
  } catch (const orrery::UserError& e) {
    std::string sentence = e.what();
    std::replace_if(
        sentence.begin(), sentence.end(), [](char c) { return c == '\n' || c == '\r'; },
        ' ');  // one line, whatever names held
    fmt::print(stderr, "orrery: {}\n", sentence);
    return static_cast<int>(e.code());
  } catch (const orrery::Interrupted& e) {
    fmt::print(stderr, "orrery: {}\n", e.what());
    return static_cast<int>(orrery::ExitCode::interrupted);
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "orrery: host memory is exhausted; lower network.workers, replicas or data.limit_train\n");
    return static_cast<int>(orrery::ExitCode::device);
  } catch (const std::exception& e) {
    fmt::print(stderr, "orrery: internal error: {}; please report it with the experiment file\n", e.what());
    return 1;
  }
}
