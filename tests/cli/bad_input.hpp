// Bad input through the program: each case ends with the contract's exit code and one sentence on stderr that names file,
// line, key and remedy, and leaves the folder as it was; `orrery check` says the same as `orrery run`.
//
// In an experiment the comment #! marks the line that the sentence must name. A test file lists its cases as
// std::vector<BadInput> Name() and adds ORRERY_REFUSES(Name).
#pragma once

#include <ostream>

#include "tests/cli/toml.hpp"

namespace orrery::test {

using Files = std::function<void(const std::string& folder)>;
struct BadInput {
  std::string name, toml;
  int code;
  std::vector<std::string> parts;      // what stderr must hold, beyond file and line
  std::vector<std::string> arguments;  // beyond run bad.toml --out out --quiet
  Files files;                         // writes what the case needs beside bad.toml
};
inline void PrintTo(const BadInput& b, std::ostream* out) { *out << b.name; }
inline BadInput bad(const std::string& name, const std::string& toml, int code, const std::vector<std::string>& parts,
                    const std::vector<std::string>& arguments = {}, const Files& files = nullptr) {
  return {name, toml, code, parts, arguments, files};
}

inline std::vector<std::string> command(const char* verb, const BadInput& b) {
  std::vector<std::string> arguments{verb, "bad.toml"};
  if (arguments[0] == "run") arguments.insert(arguments.end(), {"--out", "out", "--quiet"});
  arguments.insert(arguments.end(), b.arguments.begin(), b.arguments.end());
  return arguments;
}

class Refuses : public testing::TestWithParam<BadInput> {};

TEST_P(Refuses, WithOneSentenceAndNothingWritten) {
  const BadInput& b = GetParam();
  TempDir folder;
  write_text(folder.path("bad.toml"), b.toml);
  if (b.files) b.files(folder.path());
  const auto before = tree(folder.path());

  std::vector<std::string> parts = b.parts;
  if (const auto mark = b.toml.find("#!"); mark != std::string::npos)
    parts.push_back("orrery: bad.toml:" + std::to_string(1 + std::count(b.toml.begin(), b.toml.begin() + mark, '\n')) +
                    ": " + b.parts[0]);
  expect_refused(orrery(folder.path(), command("run", b), {.memory = true, .seconds = 30}), b.code, parts);
  EXPECT_EQ(names(tree(folder.path())), names(before));
  EXPECT_TRUE(tree(folder.path()) == before) << "a file changed";
}

// `orrery check` finds what `orrery run` finds, and says it in the same words.
TEST_P(Refuses, InCheckAsInRun) {
  const BadInput& b = GetParam();
  TempDir folder;
  write_text(folder.path("bad.toml"), b.toml);
  if (b.files) b.files(folder.path());
  const Finished run = orrery(folder.path(), command("run", b), {.memory = true, .seconds = 30});
  const Finished check = orrery(folder.path(), command("check", b), {.memory = true, .seconds = 30});
  EXPECT_EQ(check.code, run.code);
  // the free memory that a sentence quotes changes from moment to moment
  const std::regex number("[0-9]+\\.[0-9]+");
  EXPECT_EQ(std::regex_replace(check.err, number, "#"), std::regex_replace(run.err, number, "#"));
}

inline std::string name_of(const testing::TestParamInfo<BadInput>& info) { return info.param.name; }
#define ORRERY_REFUSES(group) INSTANTIATE_TEST_SUITE_P(group, Refuses, testing::ValuesIn(group()), name_of)

// ---- files of data

// A small set in the format of MNIST: 12 training and 6 test images of 3 x 3.
inline void write_set(const std::string& folder) {
  std::filesystem::create_directories(folder + "/data");
  const auto pixels = [](size_t n) {
    Bytes b(n);
    for (size_t i = 0; i < n; ++i) b[i] = static_cast<uint8_t>(i * 97 + i * i * 31);
    return b;
  };
  const auto labels = [](size_t n) {
    Bytes b(n);
    for (size_t i = 0; i < n; ++i) b[i] = static_cast<uint8_t>(i % 10);
    return b;
  };
  write_gz(folder + "/data/train-images-idx3-ubyte.gz", idx({2051, 12, 3, 3}, pixels(108)));
  write_gz(folder + "/data/train-labels-idx1-ubyte.gz", idx({2049, 12}, labels(12)));
  write_bytes(folder + "/data/t10k-images-idx3-ubyte", idx({2051, 6, 3, 3}, pixels(54)));
  write_bytes(folder + "/data/t10k-labels-idx1-ubyte", idx({2049, 6}, labels(6)));
}

inline Toml softmax(const std::string& more_data = "", const std::string& partition = "",
                    const std::string& network = "") {
  return {.data = "name = \"mnist\"\npath = \"data\"\n" + more_data,
          .partition = partition,
          .model = "kind = \"softmax\"",
          .network = network.empty() ? "workers = 4" : network,
          .algorithm = "kind = \"h-sgd\"\nbatch = 2"};
}

}  // namespace orrery::test
