#include "kernels/core/buffer.hpp"

#include <numeric>

#include "tests/support.hpp"

namespace orrery {
namespace {

class BufferTest : public test::OnEachBackend {};

TEST_P(BufferTest, IsZeroedAlsoWhereMemoryIsUsedAgain) {
  for (int64_t n : {1, 63, 1000}) {
    { const Buffer<int32_t> dirty(ctx(), std::vector<int32_t>(static_cast<size_t>(n), -1)); }
    const Buffer<int32_t> b(ctx(), n);
    EXPECT_EQ(b.size(), n);
    EXPECT_EQ(b.to_host(ctx()), std::vector<int32_t>(static_cast<size_t>(n), 0));
  }
}

TEST_P(BufferTest, HoldsWhatItWasGiven) {
  std::vector<double> values(100);
  std::iota(values.begin(), values.end(), 0.5);
  Buffer<double> b(ctx(), values);
  EXPECT_EQ(b.to_host(ctx()), values);
  EXPECT_EQ(b.to_host(ctx(), 40, 3), (std::vector<double>{40.5, 41.5, 42.5}));
  EXPECT_EQ(b.to_host(ctx(), 100, 0), std::vector<double>());
  EXPECT_EQ(b.view(4, 25).extent(1), 25);
  EXPECT_EQ(b.view(4, 25).where(), GetParam());
  EXPECT_EQ(b.view().size(), 100);
  EXPECT_EQ(to_host(ctx(), b.view().part(7, 2)), (std::vector<double>{7.5, 8.5}));
  EXPECT_EQ(to_host(ctx(), b.view(10, 10)), values);
  b.assign(ctx(), std::vector<double>(100, 3));
  EXPECT_EQ(b.to_host(ctx()), std::vector<double>(100, 3));
}

TEST_P(BufferTest, RefusesWhatDoesNotFit) {
  Buffer<double> b(ctx(), 10);
  EXPECT_THROW(b.assign(ctx(), std::vector<double>(9)), std::logic_error);
  EXPECT_THROW(b.to_host(ctx(), 5, 6), std::logic_error);
  EXPECT_THROW(b.to_host(ctx(), -1, 2), std::logic_error);
  EXPECT_THROW(to_host(ctx(), b.view(5, 2).columns(0, 1)), std::logic_error);  // not dense
}

TEST_P(BufferTest, MovesAndCountsItsBytes) {
  const int64_t before = memory_use(GetParam()).now;
  {
    Buffer<float> a(ctx(), std::vector<float>{1, 2, 3});
    EXPECT_EQ(memory_use(GetParam()).now, before + 12);
    float* const data = a.data();
    Buffer<float> b(std::move(a));
    EXPECT_EQ(b.data(), data);
    EXPECT_EQ(a.data(), nullptr);
    EXPECT_EQ(a.size(), 0);
    EXPECT_EQ(memory_use(GetParam()).now, before + 12);
    Buffer<float> c(ctx(), 100);
    EXPECT_EQ(memory_use(GetParam()).now, before + 412);
    c = std::move(b);  // what c held goes
    EXPECT_EQ(memory_use(GetParam()).now, before + 12);
    EXPECT_EQ(c.to_host(ctx()), (std::vector<float>{1, 2, 3}));
    Buffer<float>& self = c;
    c = std::move(self);
    EXPECT_EQ(c.to_host(ctx()), (std::vector<float>{1, 2, 3}));
  }
  EXPECT_EQ(memory_use(GetParam()).now, before);
}

TEST_P(BufferTest, PeakIsTheMostEverInUse) {
  const int64_t before = memory_use(GetParam()).now;
  reset_memory_peak(GetParam());
  EXPECT_EQ(memory_use(GetParam()).peak, before);
  {
    const Buffer<uint8_t> a(ctx(), 1000);
    { const Buffer<uint8_t> b(ctx(), 500); }
    const Buffer<uint8_t> c(ctx(), 300);
  }
  EXPECT_EQ(memory_use(GetParam()).peak, before + 1500);
  EXPECT_EQ(memory_use(GetParam()).now, before);
  reset_memory_peak(GetParam());
  EXPECT_EQ(memory_use(GetParam()).peak, before);
}

TEST_P(BufferTest, EmptyHoldsNothing) {
  const int64_t before = memory_use(GetParam()).now;
  Buffer<double> none(ctx(), 0), as_well(ctx(), std::vector<double>());
  EXPECT_EQ(none.data(), nullptr);
  EXPECT_TRUE(as_well.to_host(ctx()).empty());
  EXPECT_EQ(memory_use(GetParam()).now, before);
}

// The other backend's count is another count.
TEST_P(BufferTest, BackendsAreCountedApart) {
  const Backend other = GetParam() == Backend::cpu ? Backend::cuda : Backend::cpu;
  const int64_t before = memory_use(other).now;
  const Buffer<double> b(ctx(), 10);
  EXPECT_EQ(memory_use(other).now, before);
}

TEST_P(BufferTest, TooLargeNamesTheBytesAndIsForgotten) {
  const int64_t before = memory_use(GetParam()).now;
  try {
    const Buffer<double> b(ctx(), int64_t{1} << 52);  // 32 PiB
    FAIL() << "32 PiB were had";
  } catch (const DeviceError& e) {
    EXPECT_NE(std::string(e.what()).find("34359738368.0 MiB"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("; lower "), std::string::npos) << e.what();
  }
  EXPECT_EQ(memory_use(GetParam()).now, before);
  EXPECT_EQ(Buffer<double>(ctx(), 1).to_host(ctx()), std::vector<double>{0});  // the device still answers
}

ORRERY_ON_EACH_BACKEND(BufferTest);

}  // namespace
}  // namespace orrery
