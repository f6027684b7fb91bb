// orrery data list, inspect and fetch as a user calls them, and an experiment on LIBSVM text from end to end.
#include <fmt/format.h>

#include <cmath>

#include "tests/cli/support.hpp"
#include "tests/datasets/http_server.hpp"

namespace orrery::test {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The line that begins with the words, its blanks as one.
std::string line_of(const std::string& text, const std::string& begin) {
  for (const auto& line : lines(text)) {
    const std::string narrow = std::regex_replace(line, std::regex(" +"), " ");
    if (narrow.starts_with(begin)) return narrow;
  }
  return "";
}

// 200 samples in two classes that a line separates: feature 3 is the label's sign, features 1 and 2 are noise.
void write_separable(const std::string& folder) {
  std::string train, test;
  for (int i = 0; i < 240; ++i) {
    const int label = i % 2 == 0 ? 1 : -1;
    const std::string line = fmt::format("{:+d} {}:{} 3:{}\n", label, 1 + i % 4 / 2, 0.1 * (i % 5), 0.5 * label);
    (i < 200 ? train : test) += line;
  }
  train += "-1\n+1\n";  // rows without features
  write_gz(folder + "/tiny.gz", Bytes(train.begin(), train.end()));
  write_text(folder + "/tiny.t", test);
}

constexpr const char* experiment = R"(steps = 200
[data]
name = "libsvm"
path = "."
train = "tiny"
test = "tiny.t"
[model]
kind = "softmax"
[network]
workers = 4
tiers = [{ name = "cloud", nodes = 1, period = 5 }]
[algorithm]
kind = "h-sgd"
learning_rate = 0.5
batch = 8
[record]
every = 100
metrics = ["train_loss", "test_accuracy"]
)";

// A run on sparse rows, and the same numbers from the same set written densely.
TEST(LibsvmRun, LearnsAndEqualsTheDenseSet) {
  for (const auto& device : test_devices()) {
    TempDir folder;
    write_separable(folder.path());
    write_text(folder.path("e.toml"), experiment);
    run_well(folder.path(), "e.toml", "sparse", {"--device", device});
    const Csv csv = load_csv(folder.path("sparse/metrics.csv"));
    const auto loss = [&](size_t row) { return std::stod(csv.rows.at(row)[csv.column("train_loss")]); };
    EXPECT_NEAR(loss(0), std::log(2), 1e-6);  // zero parameters
    EXPECT_LT(loss(2), 0.2);
    EXPECT_EQ(std::stod(csv.rows.back()[csv.column("test_accuracy")]), 1);

    // dense: x (242, 3) and y as NumPy files
    std::vector<double> x;
    std::string y;
    const Bytes tail = read_bytes(folder.path("tiny.t"));
    gzFile in = gzopen(folder.path("tiny.gz").c_str(), "rb");
    std::string text(100000, ' ');
    text.resize(static_cast<size_t>(gzread(in, text.data(), 100000)));
    gzclose(in);
    text.append(tail.begin(), tail.end());
    for (const auto& line : lines(text)) {
      const std::vector<std::string> words = split(line, ' ');
      y += words[0] == "+1" ? '\1' : '\0';
      x.insert(x.end(), 3, 0.0);
      for (size_t w = 1; w < words.size(); ++w) {
        const std::vector<std::string> pair = split(words[w], ':');
        x[x.size() - 4 + std::stoul(pair[0])] = static_cast<float>(std::stod(pair[1]));
      }
    }
    save_npy(folder.path("x.npy"), "(242, 3)", x);
    std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (242,), }\n";
    write_text(folder.path("y.npy"),
               std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header + y);
    std::string dense = experiment;
    const auto at = dense.find("name = \"libsvm\"");
    dense.replace(at, dense.find("[model]") - at,
                  "name = \"npy\"\ntrain_x = \"x.npy\"\ntrain_y = \"y.npy\"\nholdout = 40\n");
    write_text(folder.path("d.toml"), dense);
    run_well(folder.path(), "d.toml", "dense", {"--device", device});
    EXPECT_EQ(read_text(folder.path("dense/metrics.csv")), read_text(folder.path("sparse/metrics.csv"))) << device;

    // the resolved experiment runs again to the same bits
    run_well(folder.path(), "sparse/experiment.toml", "again", {"--device", device});
    EXPECT_EQ(read_text(folder.path("again/metrics.csv")), read_text(folder.path("sparse/metrics.csv"))) << device;
  }
}

TEST(DataList, NamesEverySetAndWhereItsFilesAre) {
  TempDir folder;
  const Finished f = orrery(folder.path(), {"data", "list"});
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.err, "");
  for (const char* name : {"mnist", "fashion-mnist", "a9a", "w8a", "mushrooms", "phishing"})
    EXPECT_EQ(line_of(f.out, std::string(name) + " "), fmt::format("{} missing orrery data fetch {}", name, name));
  for (const char* name : {"glyphs", "gaussian-mixture", "emnist", "npy"})
    EXPECT_NE(line_of(f.out, std::string(name) + " "), "") << name;
}

TEST(DataInspect, PrintsWhatIsInASet) {
  TempDir folder;
  write_separable(folder.path());
  write_text(folder.path("e.toml"), experiment);
  const Finished f = orrery(folder.path(), {"data", "inspect", "e.toml", "--set", "data.limit_test=30"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_EQ(line_of(f.out, "samples"), "samples 202 30");
  EXPECT_EQ(line_of(f.out, "features"), "features 3");
  EXPECT_EQ(line_of(f.out, "classes"), "classes 2");
  EXPECT_EQ(line_of(f.out, "class 0"), "class 0 101 15");
  EXPECT_EQ(line_of(f.out, "class 1"), "class 1 101 15");
  EXPECT_EQ(line_of(f.out, "empty rows"), "empty rows 2 0");
  // noise features are 0 in one sample of five
  EXPECT_EQ(line_of(f.out, "entries"), "entries 360 54");
  EXPECT_EQ(line_of(f.out, "non-zero"), "non-zero 59.41 % 60.00 %");  // 360/606, 54/90
  // values: 0.1 .. 0.4 forty times each and +-0.5 a hundred times each: mean 40/360, second moment (12 + 50)/360
  EXPECT_TRUE(line_of(f.out, "mean").starts_with("mean 0.111111 ")) << f.out;
  EXPECT_TRUE(line_of(f.out, "deviation").starts_with("deviation 0.399846 ")) << f.out;
  // 360 entries of 8 bytes, 203 begins of 8, 202 labels of 4
  EXPECT_TRUE(line_of(f.out, "memory").starts_with("memory 0.01 MiB")) << f.out;
  EXPECT_TRUE(has(line_of(f.out, "stored as"), "sparse"));

  const Finished g = orrery(folder.path(), {"data", "inspect", "glyphs", "--set", "data.train=50", "--set",
                                            "data.test=20", "--set", "data.normalise=standard"});
  EXPECT_EQ(g.code, 0) << g.err;
  EXPECT_EQ(line_of(g.out, "samples"), "samples 50 20");
  EXPECT_EQ(line_of(g.out, "features"), "features 784 (28 x 28)");
  EXPECT_EQ(line_of(g.out, "class 9"), "class 9 5 2");
  EXPECT_TRUE(has(line_of(g.out, "used as"), "* stored - "));
}

class DataFetch : public testing::Test {
 protected:
  Finished fetch(const std::string& name, const std::string& url, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"data", "fetch", name, "--url", url, "--to", "here"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return orrery(folder_.path(), arguments);
  }
  void refused(const Finished& f, const std::string& part) {
    EXPECT_EQ(f.code, 3) << f.err;
    EXPECT_EQ(f.out, "");
    EXPECT_TRUE(f.err.starts_with("orrery: ") && has(f.err, part) && has(f.err, "; ")) << f.err;
    EXPECT_EQ(std::count(f.err.begin(), f.err.end(), '\n'), 1) << f.err;
    EXPECT_FALSE(std::filesystem::exists(folder_.path("here"))) << "something was left";
  }
  TempDir folder_;
  Environment proxy_{"no_proxy", "127.0.0.1"}, Proxy_{"NO_PROXY", "127.0.0.1"};
};

TEST_F(DataFetch, WhatGoesWrongIsOneSentenceWithCode3) {
  refused(fetch("mnist", refused_url()), "cannot be reached");
  const HttpServer server(HttpServer::Files{{"/set/mushrooms", "1 1:1\n"}});
  refused(fetch("phishing", server.url()), "/set/phishing: the server does not have it (404)");
  refused(fetch("mushrooms", server.url()), "/set/mushrooms: has SHA-256");
}

// Interrupted, it keeps the part, says so and ends with 130.
TEST_F(DataFetch, CtrlCKeepsThePart) {
  HttpServer::Behaviour b;
  b.break_off = 1000;
  b.hold = true;
  const HttpServer server(HttpServer::Files{{"/set/mushrooms", std::string(5000, '1')}}, b);
  Program p(folder_.path(), {"data", "fetch", "mushrooms", "--url", server.url(), "--to", "here"}, {.seconds = 60});
  const std::string part = folder_.path("here/mushrooms.part");
  std::error_code none;
  for (int i = 0; i < 2000 && (!std::filesystem::exists(part, none) || std::filesystem::file_size(part, none) < 1000);
       ++i)
    usleep(10000);
  p.send(SIGINT);
  const Finished f = p.wait();
  EXPECT_EQ(f.code, 130) << f.err;
  EXPECT_TRUE(has(f.err, "mushrooms.part holds 1000 bytes")) << f.err;
  EXPECT_EQ(std::filesystem::file_size(part), 1000u);
}

// The real file, where $ORRERY_DATA holds it: fetched, kept, found, inspected.
TEST_F(DataFetch, MushroomsFromACopy) {
  const char* data = std::getenv("ORRERY_DATA");
  if (!data || !*data) GTEST_SKIP() << "set ORRERY_DATA to the folder of the published files";
  const std::string content = read_text(std::string(data) + "/libsvm/mushrooms.gz");
  const HttpServer server(HttpServer::Files{{"/set/mushrooms.gz", content}});
  const Finished whole = fetch("mushrooms", server.url());
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_TRUE(line_of(whole.out, "fetched").starts_with("fetched 35223 bytes ")) << whole.out;
  EXPECT_EQ(read_text(folder_.path("here/mushrooms.gz")), content);
  EXPECT_TRUE(has(fetch("mushrooms", server.url()).out, "was there"));
  EXPECT_EQ(fetch("mushrooms", server.url(), {"--quiet"}).out, "");
  const Finished f = orrery(folder_.path(), {"data", "inspect", "mushrooms", "--set", "data.path=here"});
  EXPECT_EQ(line_of(f.out, "samples"), "samples 6500 1624") << f.err;
}

}  // namespace
}  // namespace orrery::test
