// An experiment file for the tests of the program, by its sections, and what every refusal looks like.
#pragma once

#include <fmt/format.h>

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

}  // namespace orrery::test
