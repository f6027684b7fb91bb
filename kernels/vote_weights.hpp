// What a worker's vote weighs (signSGD with federated voting, arXiv 2403.16372; with federated defense, arXiv 2402.01340).
//
//   llr_weight   a = A / (C + epsilon);  w = ln( (a + epsilon) / (1 - a + epsilon) );  w = clamp(w, -clip, +clip)       C = 0: w = 1
//                A of C rounds in which the worker agreed with the decoded sign; `nonnegative`: max(w, 0)
//   pooled_weight  a = A / n;  w as above                    A agreements in n = P C signs of one worker (FD, one weight per worker); n = 0: w = 1
//   llr_table    w for A = 0 ... C: with C common, the weight is a look-up by the count
//
// A vote adds the weights of hundreds of workers, and its sign must be the same bit in whatever order they are added. So weights are
// rounded to one grid: multiples of 2^(e-51), with 2^e above the sum of all |w|. Sums of such numbers are exact in float64, in any order
// and any split; equal weights tie exactly where their numbers tie. A weight moves by at most 2^-51 of the bound on the sum.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/core/backend.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

struct LlrRule {
  double epsilon = 1e-5, clip = 10;
  bool nonnegative = false;
};

// a: share of agreements; counts that fade are rounded, and may pass the rounds by a little
ORRERY_HD inline double weight_of(double a, const LlrRule& rule) {
  a = a < 0 ? 0 : a > 1 ? 1 : a;
  const double w = log((a + rule.epsilon) / (1 - a + rule.epsilon));
  const double low = rule.nonnegative ? 0 : -rule.clip;
  return w < low ? low : w > rule.clip ? rule.clip : w;
}
ORRERY_HD inline double llr_weight(double agreements, double rounds, const LlrRule& rule) {
  return rounds == 0 ? 1 : weight_of(agreements / (rounds + rule.epsilon), rule);
}
ORRERY_HD inline double pooled_weight(double agreements, double signs, const LlrRule& rule) {
  return signs == 0 ? 1 : weight_of(agreements / signs, rule);
}

class WeightGrid {
 public:
  WeightGrid() = default;
  // sum_bound: no less than the sum of |w| over all workers whose votes are ever added, in this tier and those above; finite, > 0
  explicit WeightGrid(double sum_bound) {
    expects(sum_bound > 0 && std::isfinite(sum_bound), "a positive bound on the sum of the weights");
    int e = 0;
    std::frexp(sum_bound, &e);  // sum_bound < 2^e
    big_ = std::ldexp(3.0, e);  // numbers in [2^(e+1), 2^(e+2)] are multiples of 2^(e-51)
  }
  ORRERY_HD double round(double w) const { return (w + big_) - big_; }

 private:
  double big_ = 0;
};

// The bound for LLR weights of `workers` workers.
inline WeightGrid llr_grid(int64_t workers, const LlrRule& rule) {
  return WeightGrid(static_cast<double>(workers) * std::max(rule.clip, 1.0));
}

inline std::vector<double> llr_table(int64_t rounds, const LlrRule& rule, const WeightGrid& grid) {
  expects(rounds >= 0 && rounds <= 65535, "as many rounds as a 16-bit counter can tell apart");
  std::vector<double> table;
  for (int64_t a = 0; a <= rounds; ++a)
    table.push_back(grid.round(llr_weight(static_cast<double>(a), static_cast<double>(rounds), rule)));
  return table;
}

// ---- where a vote finds its weights. of(r) is row r: weight(j) of coordinate j, and learn(j, agreed) after the decision.

// One weight per worker; nothing to learn.
struct WorkerWeights {
  VectorView<const double> weight;  // (rows)
  WeightGrid grid;

  struct Row {
    double w;
    ORRERY_HD double weight(int64_t) const { return w; }
    ORRERY_HD void learn(int64_t, bool) const {}
  };
  static constexpr bool learns = false;
  ORRERY_HD Row of(int64_t r) const { return {grid.round(weight[r])}; }
};

// One weight per worker and coordinate: a 16-bit count of agreements, looked up. Counts saturate at 65535; no count may exceed the
// number of rounds C that its table stands for, so a run freezes counters and C together after 65535 rounds.
struct CountedWeights {
  MatrixView<uint16_t> agreements;  // (rows, P)
  MatrixView<const double> table;   // (tables, largest C + 1): llr_table
  VectorView<const int32_t> table_of =
      {};  // (rows) for workers that have seen different numbers of rounds; empty: table 0

  struct Row {
    uint16_t* count;
    const double* table;
    ORRERY_HD double weight(int64_t j) const { return table[count[j]]; }
    ORRERY_HD void learn(int64_t j, bool agreed) const {
      count[j] = static_cast<uint16_t>(count[j] + (agreed && count[j] != 65535 ? 1 : 0));
    }
  };
  static constexpr bool learns = true;
  ORRERY_HD Row of(int64_t r) const { return {agreements.row(r), table.row(table_of.size() > 0 ? table_of[r] : 0)}; }
};

// The same with forgetting, A <- phi A + [agreed]: float32 counts, and a logarithm per worker and coordinate.
struct FadingWeights {
  MatrixView<float> agreements;     // (rows, P)
  VectorView<const double> rounds;  // (rows) C of each worker, phi C + 1 per round
  double phi = 1;
  LlrRule rule;
  WeightGrid grid;

  struct Row {
    float* count;
    double rounds, phi;
    LlrRule rule;
    WeightGrid grid;
    ORRERY_HD double weight(int64_t j) const { return grid.round(llr_weight(count[j], rounds, rule)); }
    ORRERY_HD void learn(int64_t j, bool agreed) const {
      count[j] = static_cast<float>(phi * static_cast<double>(count[j]) + (agreed ? 1.0 : 0.0));
    }
  };
  static constexpr bool learns = true;
  ORRERY_HD Row of(int64_t r) const { return {agreements.row(r), rounds[r], phi, rule, grid}; }
};

}  // namespace orrery
