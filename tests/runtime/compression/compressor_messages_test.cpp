// The bits counted are the bits packed, and a receiver has what the sender computed: every compressor, many shapes, both precisions.
#include "tests/runtime/compression/compressions.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Messages : public test::OnEachBackend {};

enum class Data { normal, zeros, some_zeros, ties, wide };
constexpr Data kData[] = {Data::normal, Data::zeros, Data::some_zeros, Data::ties, Data::wide};

template <class T>
std::vector<T> numbers(Data kind, int64_t n) {
  const Stream s(33, Draw::initial, static_cast<uint32_t>(kind), 0);
  std::vector<T> x;
  for (uint32_t i = 0; i < static_cast<uint32_t>(n); ++i) {
    const auto normal = static_cast<T>(s.normal(i));
    switch (kind) {
      case Data::normal: x.push_back(normal); break;
      case Data::zeros: x.push_back(T{0}); break;
      case Data::some_zeros: x.push_back(s.bits(i) % 3 == 0 ? normal : s.bits(i) % 3 == 1 ? T{0} : -T{0}); break;
      case Data::ties: x.push_back(static_cast<T>(static_cast<int>(s.bits(i) % 5) - 2)); break;
      case Data::wide: x.push_back(std::ldexp(normal, static_cast<int>(s.bits(i) % 60) - 30)); break;
    }
  }
  return x;
}

template <class T>
void expect_received(const test::Compressed& c, Backend b, const std::vector<T>& got, const std::vector<T>& want,
                     const std::string& where) {
  if (b == Backend::cpu || !c.cosines) return test::expect_same_bits(got, want, where);
  // a direction's cosines differ by a few units in the last place, of float64
  double largest = 0;
  for (const T v : want) largest = std::max(largest, std::abs(static_cast<double>(v)));
  test::Near near(where);
  for (size_t j = 0; j < want.size(); ++j) near(got[j], want[j], 4 * test::unit<T> * largest, static_cast<int64_t>(j));
}

TEST_P(Messages, AreAsLongAsCountedAndReceivedAsSent) {
  const Backend b = GetParam();
  test::for_float_and_double([&]<class T>() {
    for (auto [n, P, slot] : {std::tuple<int64_t, int64_t, int64_t>{3, 4, 0}, {4, 10, 7}, {5, 64, 1000}, {2, 1030, 41}})
      for (const test::Compressed& config : test::every_compressor(P)) {
        const auto spec = test::compressor_of(config.text);
        const test::Rows rows(b, test::two_replicas(n), slot);
        const auto bound = spec->bind(ctx(), rows.view(), {.parameters = P}, T{});
        for (const Data kind : kData) {
          const Matrix<T> x(b, n, P, numbers<T>(kind, n * P), P + 3), q(b, n, P, 2, P + 1);
          bound->apply(ctx(), rows.view(), rows.slot(), x.cview(), q.view());
          const int64_t fixed = spec->bits({.parameters = P}, 8 * int64_t{sizeof(T)}, slot);
          const std::vector<int64_t> counted = to_host(ctx(), bound->counted());
          ASSERT_EQ(counted.size(), spec->has_counted() ? static_cast<size_t>(n) : 0u) << config.text;
          for (int64_t r = 0; r < n; ++r) {
            const std::string where = config.text + ", data " + std::to_string(static_cast<int>(kind)) + ", row " +
                                      std::to_string(r) + " of P = " + std::to_string(P);
            const RowKey key = test::key_of(rows, r, slot);
            wire::BitWriter out;
            bound->pack(key, x.dense().data() + r * P, out);
            ASSERT_EQ(out.bits(), fixed + (counted.empty() ? 0 : counted[static_cast<size_t>(r)])) << where;
            ASSERT_EQ(static_cast<int64_t>(out.bytes().size()), (out.bits() + 7) / 8) << where;

            wire::BitReader in(out.bytes());
            std::vector<T> received(static_cast<size_t>(P), T{77});
            bound->unpack(key, in, received.data());
            ASSERT_EQ(in.read(), out.bits()) << where;
            expect_received(config, b, received, q.host_row(r), where);
            if (testing::Test::HasFatalFailure()) return;
          }
        }
      }
  });
}

// S14: bits per row by the formulas of the digest, at 32 bits a number
TEST(MessageBits, AreThoseOfTheDigest) {
  const auto bits = [](const std::string& text, int64_t d) {
    return test::compressor_of(text)->bits({.parameters = d}, 32, 0);
  };
  for (const int64_t d : {2, 10, 64, 1000}) {
    const int64_t index = d == 2 ? 1 : d == 10 ? 4 : d == 64 ? 6 : 10;
    EXPECT_EQ(bits("kind = 'identity'", d), 32 * d);
    EXPECT_EQ(bits("kind = 'top-k'\nk = 2", d), 2 * (32 + index));
    EXPECT_EQ(bits("kind = 'top-k'\nk = 2\npositions = 'bitmap'", d), d + 2 * 32);
    EXPECT_EQ(bits("kind = 'rand-k'\nk = 2", d), 2 * 32);
    EXPECT_EQ(bits("kind = 'rand-k'\nk = 2\nscaled = true\nshared = false", d), 2 * 32);
    EXPECT_EQ(bits("kind = 'one-bit'", d), d + 32);
    EXPECT_EQ(bits("kind = 'sign'", d), d + 32);
    EXPECT_EQ(bits("kind = 'quantizer'\nbits = 3", d), d * 4 + 32);
    EXPECT_EQ(bits("kind = 'dithered'\nbits = 5", d), d * 6 + 32);
    EXPECT_EQ(bits("kind = 'qsgd'\nlevels = 4", d), d * (1 + 3) + 32);
    EXPECT_EQ(bits("kind = 'qsgd'\nlevels = 16", d), d * (1 + 5) + 32);
    EXPECT_EQ(bits("kind = 'natural'", d), 9 * d);
    EXPECT_EQ(bits("kind = 'cyclic'", d), 32);
    EXPECT_EQ(bits("kind = 'trigonometric'", d), 32);
    EXPECT_EQ(bits("kind = 'random-scalarizer'", d), 32);
    EXPECT_EQ(bits("kind = 'block'\nblocks = 2", d), d / 2 * 32);
  }
  EXPECT_EQ(bits("kind = 'scalarizer'\npsi = [[1, 0], [0, 1]]", 2), 32);
  EXPECT_EQ(bits("kind = 'cyclic'\nthen = { kind = 'natural' }", 10), 9);
  // blocks that do not divide d: 3, 3 and 4 of 10 coordinates
  const auto uneven = test::compressor_of("kind = 'block'\nblocks = 3");
  EXPECT_EQ(uneven->bits({.parameters = 10}, 32, 0) + uneven->bits({.parameters = 10}, 32, 1) +
                uneven->bits({.parameters = 10}, 32, 2),
            320);
}

// Elias' codes: the first ones as he printed them, and round trips with their lengths.
TEST(MessageBits, EliasCodes) {
  const auto text = [](auto write) {
    wire::BitWriter out;
    write(out);
    std::string s;
    for (int64_t i = 0; i < out.bits(); ++i)
      s += (out.bytes()[static_cast<size_t>(i / 8)] >> (7 - i % 8) & 1) != 0 ? '1' : '0';
    return s;
  };
  const char* const gamma[] = {"1", "010", "011", "00100", "00101", "00110", "00111", "0001000"};
  const char* const omega[] = {"0", "100", "110", "101000", "101010", "101100", "101110", "1110000"};
  for (uint64_t n = 1; n <= 8; ++n) {
    EXPECT_EQ(text([&](wire::BitWriter& out) { out.gamma(n); }), gamma[n - 1]);
    EXPECT_EQ(text([&](wire::BitWriter& out) { out.omega(n); }), omega[n - 1]);
  }
  std::vector<uint64_t> all{
      1, 2, 3, 15, 16, 17, 100, 65535, 65536, 1u << 31, uint64_t{1} << 62, (uint64_t{1} << 63) - 1, uint64_t{1} << 63};
  wire::BitWriter out;
  int64_t bits = 0;
  for (const uint64_t n : all) {
    out.gamma(n), out.omega(n);
    bits += detail::gamma_bits(n) + detail::omega_bits(n);
    EXPECT_EQ(out.bits(), bits);
  }
  wire::BitReader in(out.bytes());
  for (const uint64_t n : all) {
    EXPECT_EQ(in.gamma(), n);
    EXPECT_EQ(in.omega(), n);
  }
  EXPECT_THROW(in.get(8), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(Messages);

}  // namespace
}  // namespace orrery
