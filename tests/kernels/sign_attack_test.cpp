#include "kernels/sign_attack.hpp"

#include "tests/kernels/votes.hpp"

namespace orrery {
namespace {

using test::Matrix;
using test::Signs;
using test::Trits;

class SignAttack : public test::OnEachBackend {};

test::Rows workers(Backend b, int64_t n) {
  std::vector<test::RowSpec> specs;
  for (int64_t r = 0; r < n; ++r)
    specs.push_back({.seed = static_cast<uint64_t>(50 + r / 3), .worker = static_cast<int32_t>(r % 3)});
  return {b, specs, 17};
}

TEST_P(SignAttack, FlipsWhatItsCoinsSay) {
  const Backend b = GetParam();
  const std::vector<double> probability{0, 1, 0.5, 0.1, 1e-12};
  const Matrix<double> q(b, 1, 5, probability);
  for (int64_t P : {1, 31, 32, 33, 5000})
    for (bool zeros : {false, true}) {
      const Trits before = test::trits(5, P, 3, zeros);
      const test::Rows rows = workers(b, 5);
      const auto run = [&] {
        const Signs signs(b, before, zeros);
        flip_signs(ctx(), rows.view(), rows.slot(), q.vector(), signs.view());
        const Trits after = signs.host();
        for (int64_t r = 0; r < 5; ++r) {
          const Stream coins(rows.spec(r).seed, Draw::attack, static_cast<uint32_t>(rows.spec(r).worker), 17);
          for (int64_t j = 0; j < P; ++j) {
            const bool flip = coins.bernoulli(static_cast<uint32_t>(j), probability[static_cast<size_t>(r)]);
            EXPECT_EQ(after(r, j), flip ? -before(r, j) : before(r, j)) << "row " << r << " coordinate " << j;
          }
        }
        return signs.bits();
      };
      test::expect_same_bits_for_any_threads(run);
    }
}

TEST_P(SignAttack, OpposesWhatIsKnown) {
  const Backend b = GetParam();
  for (int64_t P : {1, 33, 700})
    for (bool zeros : {false, true}) {
      const Trits known = test::trits(2, P, 8, zeros), before = test::trits(5, P, 3, zeros);
      const Signs u(b, known, zeros);
      const Matrix<int64_t> node(b, 1, 5, std::vector<int64_t>{0, 1, 1, 0, 1});
      const std::vector<uint8_t> who{1, 0, 1, 1, 0};
      const Matrix<uint8_t> chosen(b, 1, 5, who);
      const auto run = [&] {
        const Signs signs(b, before, zeros);
        oppose_signs(ctx(), u.cview(), node.vector(), chosen.vector(), signs.view());
        const Trits after = signs.host();
        for (int64_t r = 0; r < 5; ++r)
          for (int64_t j = 0; j < P; ++j) {
            const int of_node = known(node.dense()[static_cast<size_t>(r)], j);
            EXPECT_EQ(after(r, j), !who[static_cast<size_t>(r)] ? before(r, j) : of_node == 0 ? -1 : -of_node);
          }
        return signs.bits();
      };
      test::expect_same_bits_for_any_threads(run);
    }
}

TEST_P(SignAttack, RefusesWrongShapes) {
  const Backend b = GetParam();
  const Signs signs(b, test::trits(2, 40, 1, false), false), other(b, test::trits(2, 41, 1, false), false);
  const Matrix<double> one(b, 1, 1, 5);
  const Matrix<int64_t> node(b, 1, 2, std::vector<int64_t>{0, 1});
  const Matrix<uint8_t> chosen(b, 1, 2, std::vector<uint8_t>{1, 1});
  const test::Rows rows = workers(b, 2);
  EXPECT_THROW(flip_signs(ctx(), rows.view(), rows.slot(), one.vector(), signs.view()), std::logic_error);
  EXPECT_THROW(oppose_signs(ctx(), other.cview(), node.vector(), chosen.vector(), signs.view()), std::logic_error);
}

ORRERY_ON_EACH_BACKEND(SignAttack);

}  // namespace
}  // namespace orrery
