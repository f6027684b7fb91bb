// Runs that cannot begin, fail or are interrupted: an existing folder, a full disk, non-finite numbers, a signal. Nothing
// half written stays.
#include <sys/mount.h>

#include "tests/cli/toml.hpp"

namespace orrery::test {
namespace {

TEST(RunFolder, RefusesOneThatExistsAndLeavesIt) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  for (const char* out : {"full", "empty", "file"}) {
    if (out == std::string("file"))
      write_text(folder.path(out), "mine");
    else
      std::filesystem::create_directory(folder.path(out));
  }
  write_text(folder.path("full/metrics.csv"), "mine");
  const auto before = tree(folder.path());
  for (const char* out : {"full", "full/", "empty", "file"}) {
    SCOPED_TRACE(out);
    expect_refused(orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", out}), 2,
                   {"--out", split(out, '/')[0], "exists already", "choose another folder"});
    EXPECT_TRUE(tree(folder.path()) == before);
  }
}

// out.partial may hold what another run is writing.
TEST(RunFolder, LeavesWhatItDidNotMake) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  std::filesystem::create_directory(folder.path("out.partial"));
  write_text(folder.path("out.partial/notes.txt"), "mine");
  orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", "out"});
  EXPECT_EQ(read_text(folder.path("out.partial/notes.txt")), "mine");
}

TEST(RunFolder, CannotBeMadeBelowAFile) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  const auto before = tree(folder.path());
  expect_refused(orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", "good.toml/out"}), 3,
                 {"good.toml/out", "cannot be made", "--out"});
  EXPECT_TRUE(tree(folder.path()) == before);
}

// Parents that were made for it go with it where the run fails.
TEST(RunFolder, TakesItsParentsWithIt) {
  TempDir folder;
  write_text(folder.path("bad.toml"),
             Toml{.head = "steps = 400", .algorithm = "kind = \"h-sgd\"\nlearning_rate = 1e30"});
  const auto before = tree(folder.path());
  for (const std::vector<std::string>& out : {std::vector<std::string>{"--out", "a/b/c"}, {}}) {
    std::vector<std::string> arguments{"run", "bad.toml", "--quiet", "--set", "model.center=1.0"};
    arguments.insert(arguments.end(), out.begin(), out.end());
    EXPECT_EQ(orrery(folder.path(), arguments).code, 5);
    EXPECT_EQ(names(tree(folder.path())), names(before));
  }
}

TEST(FullDisk, IsOneSentenceAndLeavesNothing) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{});
  std::filesystem::create_directory(folder.path("disk"));
  if (mount("tmpfs", folder.path("disk").c_str(), "tmpfs", 0, "size=16k") != 0)
    GTEST_SKIP() << "a tiny file system cannot be mounted here (" << std::strerror(errno) << "); run this test as root";
  const Finished f = orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", "disk/out"});
  const auto left = names(tree(folder.path("disk")));
  umount2(folder.path("disk").c_str(), MNT_DETACH);
  expect_refused(f, 3, {"disk/out", "free some space", "--out"});
  EXPECT_EQ(left, std::vector<std::string>{});
}

// Every file in turn is the one that does not fit.
TEST(FullDisk, OfAnyFileIsOneSentenceAndLeavesNothing) {
  TempDir folder;
  write_text(folder.path("good.toml"), Toml{.data = "name = \"glyphs\"\ntrain = 400\ntest = 10",
                                            .model = "kind = \"softmax\"",
                                            .record = "every = 1\nparams = true\npartition = true"});
  run_well(folder.path(), "good.toml", "whole");
  std::vector<int64_t> sizes;
  for (const auto& [name, content] : tree(folder.path("whole"))) sizes.push_back(static_cast<int64_t>(content.size()));
  std::filesystem::remove_all(folder.path("whole"));
  std::sort(sizes.begin(), sizes.end());
  const auto before = tree(folder.path());
  for (const int64_t size : sizes) {
    SCOPED_TRACE("files below " + std::to_string(size) + " bytes");
    const Finished f = orrery(folder.path(), {"run", "good.toml", "--quiet", "--out", "out"}, {.file_bytes = size - 1});
    expect_refused(f, 3, {"out", "--out"});
    EXPECT_TRUE(tree(folder.path()) == before);
  }
}

TEST(NonFinite, NamesWorkerTensorAndSteps) {
  TempDir folder;
  // worker 2 alone moves: |x| = 1e3^t, beyond the largest float after 13 steps
  write_text(folder.path("bad.toml"), Toml{.head = "steps = 100",
                                           .model = "kind = \"quadratic\"\ncurvature = [[0.0], [0.0], [1.0], [0.0]]\n"
                                                    "center = 1.0",
                                           .algorithm = "kind = \"h-sgd\"\nlearning_rate = 1e3",
                                           .record = "every = 10"});
  const auto before = tree(folder.path());
  expect_refused(
      orrery(folder.path(), {"run", "bad.toml", "--quiet", "--out", "out"}), 5,
      {"replica 0", "worker 2", ": x ", "between local steps 10 and 20", "lower algorithm.learning_rate", "1000"});
  EXPECT_EQ(names(tree(folder.path())), names(before));
}

TEST(NonFinite, NamesTheArm) {
  TempDir folder;
  write_text(folder.path("bad.toml"),
             Toml{.head = "steps = 100\nreplicas = 2",
                  .model = "kind = \"quadratic\"\ndimension = 2\ncenter = 1.0",
                  .rest = "[[arm]]\nname = \"calm\"\n[[arm]]\nname = \"wild\"\nalgorithm.learning_rate = 1e30"});
  expect_refused(orrery(folder.path(), {"run", "bad.toml", "--quiet", "--out", "out"}), 5,
                 {"arm \"wild\"", "replica 0", "worker 0"});
}

// Softmax names the tensor that broke, not the whole row.
TEST(NonFinite, InSoftmax) {
  TempDir folder;
  write_text(folder.path("bad.toml"), Toml{.head = "steps = 40",
                                           .data = "name = \"glyphs\"\ntrain = 100\ntest = 10",
                                           .model = "kind = \"softmax\"\nl2 = 1.0",
                                           .algorithm = "kind = \"h-sgd\"\nlearning_rate = 1e30"});
  const auto before = tree(folder.path());
  expect_refused(orrery(folder.path(), {"run", "bad.toml", "--quiet", "--out", "out"}), 5,
                 {"worker 0", "weights", "local steps 0 and ", "lower algorithm.learning_rate"});
  EXPECT_EQ(names(tree(folder.path())), names(before));
}

// ---- an interrupt

void interrupt_ends_it(const std::string& head, const std::string& record, int signal) {
  TempDir folder;
  write_text(folder.path("long.toml"), Toml{.head = head,
                                            .model = "kind = \"quadratic\"\ndimension = 1000\nnoise = 1.0",
                                            .network = "workers = 8\ntiers = [{ nodes = 1, period = 10 }]",
                                            .record = record});
  const auto before = tree(folder.path());
  Program program(folder.path(), {"run", "long.toml", "--out", "out"}, {.seconds = 60});
  program.read_until([&] { return program.err().find('\n') != std::string::npos; });  // step 0 is recorded
  program.send(signal);
  const auto sent = std::chrono::steady_clock::now();
  const Finished f = program.wait();
  const double waited = std::chrono::duration<double>(std::chrono::steady_clock::now() - sent).count();
  EXPECT_EQ(f.code, 130) << f.err;
  EXPECT_LT(waited, 10);
  const auto said = lines(f.err);
  ASSERT_FALSE(said.empty());
  EXPECT_TRUE(said.back().starts_with("orrery: interrupted")) << said.back();
  // nothing at all, or a run folder with its checkpoint
  const auto left = names(tree(folder.path()));
  const bool checkpoint = std::filesystem::exists(folder.path("out/checkpoint"));
  EXPECT_TRUE(left == names(before) || checkpoint) << testing::PrintToString(left);
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.partial")));
}

TEST(Interrupt, AtARecordPoint) { interrupt_ends_it("steps = 1000000", "every = 1000", SIGINT); }
TEST(Interrupt, FarFromARecordPoint) { interrupt_ends_it("steps = 1000000000000", "every = 1000000000000", SIGINT); }
TEST(Interrupt, ByTheSystem) { interrupt_ends_it("steps = 1000000", "every = 1000", SIGTERM); }

}  // namespace
}  // namespace orrery::test
