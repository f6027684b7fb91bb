// The rounds of one launch of voting methods: messages of all workers at the models they share, decoded, learned from, stepped along.
//
//   one round   g_m <- mini-batch gradient of worker m at its model x, and what the method makes of it     voting/messages.hpp
//               Y_m <- sign(g_m), and what adversaries make of it                                           voting/attack.hpp
//               u   <- the decision of a vote, or a mean                                                    voting/decoder.hpp, means.hpp
//               x   <- (1 - eta lambda) x - eta u
//
// Memory   rows * P / 8 bytes of signs (twice where zeros stay), counters of votes that learn per coordinate, velocities or residuals of
//          methods that have them, and a window of gradients where signs are not packed as they are made. Nothing else grows with rows * P.
// Result   the same bits for any number of threads; given the gradients, on both backends, too, but for normal noise and top-k's and other
//          means, which agree to rounding.
#pragma once

#include <memory>
#include <vector>

#include "runtime/objective_gradient.hpp"
#include "runtime/voting/decoder.hpp"
#include "runtime/voting/means.hpp"
#include "runtime/voting/messages.hpp"

namespace orrery {

template <class T>
class Voting {
 public:
  // specs: one per arm of the population; packs: the model packs signs itself.
  Voting(const Context&, const Population&, std::vector<VoteSpec> specs, const std::vector<Tensor>& tensors,
         bool packs);

  // One round of every lane. models: (model rows, P).
  void round(Model<T>&, const Rows&, Slot, MatrixView<T> models);
  // The decision that this round would take, looked at for the metrics: nothing is learned or kept and no model moves.
  void look(Model<T>&, const Rows&, Slot, MatrixView<T> models);

  const SharedModels& models() const { return models_; }
  MatrixView<T> velocities() const { return messages_.state(); }  // (rows, P) of workers with momentum
  const VoteSpec& spec(int arm) const { return specs_[static_cast<size_t>(arm)]; }
  // Of the last round, or of the last look.
  SignsIn decoded() const { return planes(positive_u_, zero_u_, 0, models_.rows()); }  // (model rows); signs of a mean
  SignsIn signs() const { return planes(positive_, zero_, 0, population_.rows()); }    // (rows) what the workers sent
  VectorView<const int64_t> agreed() const { return agreed_.view(); }  // (rows) coordinates on which the worker agreed

  static int64_t bytes(const Population&, const std::vector<VoteSpec>&, int64_t parameters, int64_t tensors,
                       int64_t element_size, bool packs);

 private:
  struct Arm {
    size_t first_lane = 0, lanes = 0;
    int64_t first_row = 0, rows = 0, first_model = 0, models = 0;
    double last_rate = 0;                // 0: no round yet
    std::unique_ptr<Decoder> decoder;    // where signs are decided,
    std::unique_ptr<Means<T>> means;     // else,
    MatrixView<const T> direction;       // which was found last
    Buffer<int64_t> kept;                // (tensors) coordinates that are sent, where not all are
    Buffer<double> flips;                // (rows) probability that a sign is inverted
    Buffer<uint8_t> colluders, honest;   // (rows)
    Buffer<int64_t> model_of_row;        // (rows) among the arm's models
    DeviceGroups voters;                 // below each model
    Buffer<uint32_t> known, known_zero;  // (models) what colluders know
  };
  void make_arm(size_t index, size_t lanes);
  void messages(Model<T>&, const Rows&, Slot, MatrixView<T> models, bool keep);
  void attack(Arm&, const VoteSpec&, const Rows&, Slot);
  void decide(Model<T>&, const Rows&, Arm&, const VoteSpec&, Slot, MatrixView<T> models, bool keep);
  SignsIn exact_signs(Model<T>&, const Rows&, const Arm&, Slot, MatrixView<T> models);
  void step(MatrixView<T> models);
  double rate_of(const Arm& arm) const { return population_.learning_rate[static_cast<size_t>(arm.first_row)]; }
  double ratio_of(const Arm& arm) const {  // of the last learning rate to this one
    return arm.last_rate > 0 && rate_of(arm) > 0 ? arm.last_rate / rate_of(arm) : 1.0;
  }
  // rows first ... first + n - 1 of a pair of planes
  SignsOut planes(const Buffer<uint32_t>& positive, const Buffer<uint32_t>& zero, int64_t first, int64_t n) const {
    const auto part = [&](const Buffer<uint32_t>& all) {
      return MatrixView<uint32_t>(all.data() + first * words_, n, words_, ctx_.backend);
    };
    return {parameters_, part(positive), zero.size() > 0 ? part(zero) : MatrixView<uint32_t>{}};
  }

  const Context& ctx_;
  const Population& population_;
  SharedModels models_;
  std::vector<VoteSpec> specs_;
  int64_t parameters_ = 0, words_ = 0;
  Messages<T> messages_;
  ObjectiveGradient<T> exact_gradient_;
  std::vector<Arm> arms_;
  Buffer<uint32_t> positive_, zero_, positive_u_, zero_u_;
  Buffer<uint32_t> exact_, exact_zero_;  // (model rows) what the genie knows
  Buffer<int64_t> agreed_;
  Buffer<uint64_t> model_seed_;  // (model rows) of the replica
  Buffer<int32_t> model_index_;
  Buffer<double> step_, minus_step_, factor_;  // (model rows) eta, -eta, 1 - eta lambda
};

}  // namespace orrery
