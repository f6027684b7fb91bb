// What the tests of bad input share: an experiment by its sections, a table of cases, and what a refusal must look like.
//
// In an experiment the comment #! marks the line that the sentence must name.
#pragma once

#include <fmt/format.h>

#include <ostream>

#include "tests/cli/support.hpp"

namespace orrery::test {

// An experiment by its sections; what a case does not give is a small quadratic that runs. A section that begins with
// #! marks its own header line.
struct Toml {
  std::string head = "steps = 4";
  std::string data = "";
  std::string partition = "";
  std::string model = "kind = \"quadratic\"\ndimension = 2";
  std::string network = "workers = 4";
  std::string algorithm = "kind = \"h-sgd\"";
  std::string record = "";
  std::string rest = "";

  operator std::string() const {
    std::string text = head + "\n";
    const std::pair<const char*, const std::string&> sections[] = {{"data", data},           {"partition", partition},
                                                                   {"model", model},         {"network", network},
                                                                   {"algorithm", algorithm}, {"record", record}};
    for (const auto& [name, body] : sections)
      if (!body.empty()) text += fmt::format("[{}]{}{}\n", name, body.starts_with("#!") ? " " : "\n", body);
    return text + rest + "\n";
  }
};

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

// One sentence: what is wrong; what to do.
inline void expect_one_sentence(const std::string& err) {
  EXPECT_TRUE(err.starts_with("orrery: ")) << err;
  EXPECT_EQ(std::count(err.begin(), err.end(), '\n'), 1) << err;
  EXPECT_TRUE(err.ends_with("\n")) << err;
  EXPECT_NE(err.find("; "), std::string::npos) << "no remedy: " << err;
  EXPECT_EQ(err.find("internal error"), std::string::npos) << err;
}

inline void expect_refused(const Finished& f, int code, const std::vector<std::string>& parts) {
  EXPECT_EQ(f.code, code) << f.err;
  EXPECT_EQ(f.out, "");
  expect_one_sentence(f.err);
  for (const auto& part : parts) EXPECT_NE(f.err.find(part), std::string::npos) << "\"" << part << "\" in: " << f.err;
  EXPECT_LT(f.seconds, 20) << "a refusal takes no work";
  EXPECT_LT(sanitized ? 0 : f.peak_bytes, int64_t{1} << 30) << "a refusal takes no memory";
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

}  // namespace orrery::test
