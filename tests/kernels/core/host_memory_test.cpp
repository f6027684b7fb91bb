#include "kernels/core/host_memory.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/datasets/files.hpp"

namespace orrery::test {
namespace {

namespace fs = std::filesystem;

struct Mount {  // control groups as files
  TempDir dir;
  void write(const std::string& file, const std::string& text) {
    fs::create_directories(fs::path(dir.path(file)).parent_path());
    write_text(dir.path(file), text);
  }
  std::string path() const { return dir.path(); }
};

TEST(HostMemory, IsPositiveAndFreeIsWithinTotal) {
  const HostMemory m = host_memory();
  EXPECT_GT(m.free, 0);
  EXPECT_LE(m.free, m.total);
}

TEST(HostMemory, OfVersion2IsLimitLessUse) {
  Mount m;
  m.write("memory.max", "1000\n");
  m.write("memory.current", "300\n");
  m.write("memory.stat", "anon 100\ninactive_file 50\nactive_file 20\n");
  const auto got = control_group_memory(m.path(), "0::/\n");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->total, 1000);
  EXPECT_EQ(got->free, 1000 - (300 - 50));
}

TEST(HostMemory, TheTightestGroupAboveCounts) {
  Mount m;
  m.write("a/memory.max", "500\n");
  m.write("a/memory.current", "450\n");
  m.write("a/b/memory.max", "400\n");
  m.write("a/b/memory.current", "100\n");
  m.write("a/b/c/memory.max", "max\n");
  m.write("a/b/c/memory.current", "10\n");
  const auto got = control_group_memory(m.path(), "0::/a/b/c\n");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->total, 400);
  EXPECT_EQ(got->free, 50);
}

TEST(HostMemory, OfVersion1) {
  Mount m;
  m.write("memory/job/memory.limit_in_bytes", "2000\n");
  m.write("memory/job/memory.usage_in_bytes", "1500\n");
  m.write("memory/job/memory.stat", "total_inactive_file 100\n");
  m.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  m.write("memory/memory.usage_in_bytes", "7\n");
  const auto got = control_group_memory(m.path(), "5:cpu,memory:/job\n4:pids:/x\n");
  ASSERT_TRUE(got);
  EXPECT_EQ(got->total, 2000);
  EXPECT_EQ(got->free, 600);
}

TEST(HostMemory, WithoutABoundIsNothing) {
  Mount m;
  EXPECT_FALSE(control_group_memory(m.path(), ""));
  EXPECT_FALSE(control_group_memory(m.path(), "0::/\nnonsense\n3:cpu:/a\n"));
  m.write("memory.max", "max\n");
  m.write("memory.current", "12\n");
  EXPECT_FALSE(control_group_memory(m.path(), "0::/\n"));
}

// A group over its limit, as the kernel lets it be for moments.
TEST(HostMemory, IsNeverNegative) {
  Mount m;
  m.write("memory.max", "100\n");
  m.write("memory.current", "130\n");
  EXPECT_EQ(control_group_memory(m.path(), "0::/\n")->free, 0);
}

}  // namespace
}  // namespace orrery::test
