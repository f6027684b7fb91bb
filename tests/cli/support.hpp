// Starts the program as a user does - arguments, a folder to stand in - and reads what it printed, wrote and how it
// ended.
//
// ORRERY_PROGRAM, ORRERY_SOURCE_DIR   set by CMake
// ORRERY_TEST_DEVICES                 environment: the devices to test on, "cpu,cuda"; default "cpu"
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/datasets/files.hpp"

namespace orrery::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;  // shadow memory: no bound on the address space can be set
#else
constexpr bool sanitized = false;
#endif

inline std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::stringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}
inline std::vector<std::string> lines(const std::string& text) { return split(text, '\n'); }

inline std::vector<std::string> test_devices() {
  const char* given = std::getenv("ORRERY_TEST_DEVICES");
  return split(given && *given ? given : "cpu", ',');
}

// ---- the program

struct Limits {
  int64_t file_bytes = 0;  // larger files fail with EFBIG; 0: no limit
  bool memory = false;     // 8 GiB of address space, so that a defect does not take the machine down
  double seconds = 240;    // then the program is killed
};

struct Finished {
  int code = 0;  // exit code; -signal
  std::string out, err;
  double seconds = 0;
  int64_t peak_bytes = 0;  // largest resident set
};

class Program {
 public:
  Program(const std::string& folder, const std::vector<std::string>& arguments, Limits limits = {})
      : limits_(limits), start_(Clock::now()) {
    std::vector<std::string> words{ORRERY_PROGRAM};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv, environment;
    for (auto& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    // data sets of the machine must not be found
    std::string home = "HOME=/nonexistent";
    for (char** e = environ; *e; ++e) {
      const std::string_view v = *e;
      if (!v.starts_with("ORRERY_DATA=") && !v.starts_with("XDG_CACHE_HOME=") && !v.starts_with("HOME="))
        environment.push_back(*e);
    }
    environment.push_back(home.data());
    environment.push_back(nullptr);

    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("no process");
    if (pid_ == 0) {
      if (chdir(folder.c_str()) != 0) _exit(126);
      const int null = open("/dev/null", O_RDONLY);
      dup2(null, STDIN_FILENO);
      dup2(out[1], STDOUT_FILENO);
      dup2(err[1], STDERR_FILENO);
      if (limits.file_bytes > 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        bound(RLIMIT_FSIZE, limits.file_bytes);
      }
      if (limits.memory && !sanitized) bound(RLIMIT_AS, int64_t{8} << 30);
      bound(RLIMIT_CORE, 0);
      execve(argv[0], argv.data(), environment.data());
      _exit(127);
    }
    close(out[1]);
    close(err[1]);
    streams_[0] = {out[0], POLLIN, 0};
    streams_[1] = {err[0], POLLIN, 0};
  }
  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    for (auto& s : streams_)
      if (s.fd >= 0) close(s.fd);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::string& out() const { return text_[0]; }
  const std::string& err() const { return text_[1]; }
  void send(int signal) const { kill(pid_, signal); }

  // Reads what it prints until `enough` says so, or it has closed both streams, or its time is over.
  void read_until(const std::function<bool()>& enough) {
    while (!enough() && (streams_[0].fd >= 0 || streams_[1].fd >= 0)) {
      const double left = limits_.seconds - seconds();
      if (left <= 0 || poll(streams_, 2, static_cast<int>(1000 * std::min(left, 1.0))) < 0) {
        if (left <= 0) kill(pid_, SIGKILL);
        if (left <= 0) return;
        continue;
      }
      for (int k = 0; k < 2; ++k) {
        if (streams_[k].fd < 0 || streams_[k].revents == 0) continue;
        char buffer[4096];
        const ssize_t got = read(streams_[k].fd, buffer, sizeof buffer);
        if (got > 0) {
          text_[k].append(buffer, static_cast<size_t>(got));
        } else {
          close(streams_[k].fd);
          streams_[k].fd = -1;  // poll passes over it
        }
      }
    }
  }

  Finished wait() {
    read_until([] { return false; });
    int status = 0;
    rusage use{};
    wait4(pid_, &status, 0, &use);
    pid_ = -1;
    Finished f;
    f.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    f.out = text_[0];
    f.err = text_[1];
    f.seconds = seconds();
    f.peak_bytes = use.ru_maxrss * int64_t{1024};
    return f;
  }

 private:
  using Clock = std::chrono::steady_clock;
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
  static void bound(int what, int64_t bytes) {
    const rlimit limit{static_cast<rlim_t>(bytes), static_cast<rlim_t>(bytes)};
    setrlimit(static_cast<__rlimit_resource>(what), &limit);
  }

  Limits limits_;
  Clock::time_point start_;
  pid_t pid_ = -1;
  pollfd streams_[2] = {};
  std::string text_[2];
};

inline Finished orrery(const std::string& folder, const std::vector<std::string>& arguments, Limits limits = {}) {
  return Program(folder, arguments, limits).wait();
}

// Runs the experiment `file` with --out `out`; fails the test where that does not end well.
inline Finished run_well(const std::string& folder, const std::string& file, const std::string& out,
                         std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"run", file, "--out", out, "--quiet"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  Finished f = orrery(folder, arguments);
  EXPECT_EQ(f.code, 0) << f.err;
  return f;
}

// ---- what it wrote

// Every file below a folder with its content; folders end in '/'.
inline std::map<std::string, std::string> tree(const std::string& folder) {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    const std::string name = std::filesystem::relative(entry.path(), folder).string();
    if (entry.is_directory())
      all[name + "/"];
    else
      all[name] = read_text(entry.path().string());
  }
  return all;
}
inline std::vector<std::string> names(const std::map<std::string, std::string>& files) {
  std::vector<std::string> out;
  for (const auto& [name, content] : files) out.push_back(name);
  return out;
}

// A .npy file of version 1.0, read without the program's own reader.
struct Npy {
  std::string type;  // "<f4" or "<f8"
  std::vector<int64_t> shape;
  std::vector<double> values;
};
inline Npy load_npy(const std::string& path) {
  Npy a;
  const std::string bytes = read_text(path);
  std::smatch m;
  if (bytes.size() < 10 || bytes.compare(0, 8, std::string("\x93NUMPY\x01\0", 8)) != 0) {
    ADD_FAILURE() << path << " is no .npy file";
    return a;
  }
  const size_t begin = 10 + static_cast<uint8_t>(bytes[8]) + 256 * static_cast<uint8_t>(bytes[9]);
  const std::string header = bytes.substr(10, begin - 10);
  if (!std::regex_search(header, m,
                         std::regex("'descr': '(<f[48])', 'fortran_order': False, 'shape': \\(([^)]*)\\)"))) {
    ADD_FAILURE() << path << " has the header " << header;
    return a;
  }
  a.type = m[1];
  size_t count = 1;
  for (const auto& n : split(m[2], ','))
    if (n.find_first_not_of(' ') != std::string::npos) a.shape.push_back(std::stoll(n)), count *= a.shape.back();
  const size_t size = a.type == "<f4" ? 4 : 8;
  EXPECT_EQ(begin % 64, 0u) << path;
  EXPECT_EQ(bytes.size(), begin + count * size) << path;
  for (size_t i = 0; begin + (i + 1) * size <= bytes.size(); ++i) {
    float single;
    double value;
    if (size == 4)
      std::memcpy(&single, bytes.data() + begin + 4 * i, 4), value = single;
    else
      std::memcpy(&value, bytes.data() + begin + 8 * i, 8);
    a.values.push_back(value);
  }
  return a;
}
inline void save_npy(const std::string& path, const std::string& shape, const std::vector<double>& values) {
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }";
  header.append((64 - (11 + header.size()) % 64) % 64, ' ');  // the values begin at a multiple of 64
  header += '\n';
  std::string bytes("\x93NUMPY\x01\0", 8);
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * 8);
  write_text(path, bytes);
}

// A file of comma-separated values with a header row; fields may be quoted.
struct Csv {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;

  size_t column(const std::string& name) const {
    const auto at = std::find(header.begin(), header.end(), name);
    if (at == header.end()) throw std::runtime_error("no column " + name);
    return static_cast<size_t>(at - header.begin());
  }
};
inline Csv load_csv(const std::string& path) {
  const auto fields = [](const std::string& line) {
    std::vector<std::string> out(1);
    bool quoted = false;
    for (size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"')
        out.back() += line[++i];
      else if (line[i] == '"')
        quoted = !quoted;
      else if (line[i] == ',' && !quoted)
        out.emplace_back();
      else
        out.back() += line[i];
    }
    return out;
  };
  Csv csv;
  for (const auto& line : lines(read_text(path))) {
    if (csv.header.empty()) {
      csv.header = fields(line);
      continue;
    }
    csv.rows.push_back(fields(line));
    EXPECT_EQ(csv.rows.back().size(), csv.header.size()) << line;
  }
  return csv;
}

}  // namespace orrery::test
