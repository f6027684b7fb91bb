// Round robin: one of `blocks` blocks of coordinates after the other, each for `dwell` slots, times their number where `scaled`.
//
//   C(x, t) keeps block b = floor(t / dwell) mod B, coordinates floor(b P / B) ... floor((b+1) P / B) - 1        average rate 1/B
//   message: the block's numbers, b bits each: P/B of them, or one more where B does not divide P
#include <fmt/format.h>

#include "runtime/compression/kept.hpp"

namespace orrery {
namespace {

class Block final : public Sparsifier {
 public:
  explicit Block(Params& p)
      : blocks_(p.integer("blocks", std::nullopt, at_least(1))),
        dwell_(p.integer("dwell", 1, at_least(1))),
        scaled_(p.flag("scaled", false)),
        place_(p.place("blocks")) {}
  std::string kind() const override { return "block"; }
  void check(const BankShape& s) const override {
    if (blocks_ > s.parameters)
      throw ExperimentError(fmt::format("{}: cuts {} coordinates into {} blocks; give at most {}", place_, s.parameters,
                                        blocks_, s.parameters));
  }
  KeepRule rule(const BankShape&) const override {
    return {.which = KeepRule::Which::block,
            .blocks = blocks_,
            .dwell = dwell_,
            .factor = scaled_ ? static_cast<double>(blocks_) : 1};
  }
  CompressorClass traits(const BankShape&) const override {
    const auto B = static_cast<double>(blocks_);
    CompressorClass c{.rate = scaled_ ? 1 : 1 / B,
                      .bound = scaled_ ? B : 1,
                      .strong = true,
                      .linear = true,
                      .time_varying = blocks_ > 1};
    if (blocks_ == 1) c.delta = c.monotone = 1, c.omega = 0;
    return c;
  }

 private:
  int64_t blocks_, dwell_;
  bool scaled_;
  std::string place_;
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> block{
    "block", "one block of coordinates after the other",
    [](Params& p) -> std::unique_ptr<Compressor> { return std::make_unique<Block>(p); }};
}
}  // namespace orrery
