// Identity: C(x) = x. A message holds the P numbers: P b bits.
#include "runtime/compression/kept.hpp"

namespace orrery {
namespace {

class Identity final : public Sparsifier {
 public:
  std::string kind() const override { return "identity"; }
  KeepRule rule(const BankShape&) const override { return {.which = KeepRule::Which::block, .blocks = 1}; }
  CompressorClass traits(const BankShape&) const override {
    return {.delta = 1, .omega = 0, .rate = 1, .monotone = 1, .bound = 1, .strong = true, .linear = true};
  }
};

}  // namespace

namespace compressors {
extern const Entry<Compressor> identity{"identity", "everything as it is", [](Params&) -> std::unique_ptr<Compressor> {
                                          return std::make_unique<Identity>();
                                        }};
}
}  // namespace orrery
