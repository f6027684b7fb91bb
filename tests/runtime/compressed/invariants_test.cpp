// The checks that run beside a method see what they are for: with a symmetric Laplacian nothing but rounding is off; with weights that differ one way
// and the other the sum of the dual states drifts, and they say by how much.
#include <algorithm>

#include "runtime/compressed/laplacian.hpp"
#include "runtime/compressed/method.hpp"
#include "runtime/device_mixing.hpp"
#include "tests/support.hpp"

namespace orrery {
namespace {

using test::Matrix;

class Invariants : public test::OnEachBackend {};

// the largest of each invariant over a few steps of a flow of three workers, from its size
std::vector<Invariant> after_steps(const Context& ctx, CompressedSpec::Method method, double backward) {
  Mixing l;  // 1 - 2 - 3; what 1 hears of 2 is weighed by `backward`
  l.begin = {0, 2, 5, 7};
  l.source = {0, 1, 0, 1, 2, 1, 2};
  l.weight = {backward, -backward, -1, 2, -1, -1, 1};
  const DeviceMixing table(ctx, {&l});
  const MixPlan<double> plan(ctx, table.table(), 3, 4);
  const test::Rows rows(ctx.backend, {{.worker = 0}, {.worker = 1}, {.worker = 2}});
  const BankShape shape{.parameters = 4};
  const orrery::Rows view = rows.view();
  Channel<double> channel(ctx, view, shape, nullptr, false);
  CompressedSpec spec;
  spec.method = method;
  spec.a = 0.5;
  const MethodParts<double> parts{ctx, spec, view, 3, 4, &channel, &plan};
  const auto made = make_method(parts);
  const Matrix<double> x(ctx.backend, 3, 4, 7), g(ctx.backend, 3, 4, 8);
  std::vector<Invariant> worst;
  for (int64_t k = 0; k < 5; ++k) {
    made->send({rows.slot(), k}, x.view(), g.view());
    made->move({rows.slot(), k}, x.view(), g.view());
    const auto found = made->invariants();
    worst.resize(found.size());
    for (size_t i = 0; i < found.size(); ++i)
      if (found[i].off >= worst[i].off) worst[i] = found[i];
  }
  return worst;
}

TEST_P(Invariants, SeeAnUnbalancedLaplacian) {
  for (const auto method : {CompressedSpec::Method::primal_dual, CompressedSpec::Method::lead}) {
    const auto held = after_steps(ctx(), method, 1), broken = after_steps(ctx(), method, 0.5);
    ASSERT_EQ(held.size(), 2u);
    for (const Invariant& i : held) EXPECT_LE(i.off, 1e-14 * i.size) << i.what;
    EXPECT_GT(broken[0].off, 1e-4 * broken[0].size) << broken[0].what;   // the sum
    EXPECT_LE(broken[1].off, 1e-14 * broken[1].size) << broken[1].what;  // z = L xh holds for any L
  }
}

ORRERY_ON_EACH_BACKEND(Invariants);

}  // namespace
}  // namespace orrery
