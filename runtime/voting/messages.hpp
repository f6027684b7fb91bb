// What the workers send: from the gradients at their models to numbers ready for a sign, a window of rows at a time.
//
//   g    <- mini-batch gradient at the model x of the worker;  with several batches a slot the sum of those of
//                                                 so many local steps, (x - x_local) / eta
//   g    <- (1 - beta) g + beta v,  v <- g        SIGNUM: the sign of the velocity
//   g    <- g + lambda e                          residual of what was not sent (error feedback, sparsity); what is left afterwards is kept
//   g    <- g + attack                            adversaries that send noise
//   g    <- g + b xi                              noise in front of the sign
//
// Arms that vote on the signs of the gradients themselves need no numbers where the model packs its own signs: their rows are left out here.
//
// Memory   a window of at most 64 MiB or one row, so that gradients are not kept; rows * P numbers of velocity or residual where a method
//          has them.
#pragma once

#include <vector>

#include "kernels/top_signs.hpp"
#include "models/model.hpp"
#include "runtime/voting/shared_models.hpp"
#include "runtime/voting/spec.hpp"

namespace orrery {

// Does an arm vote on signs that a model which packs them can give?
bool sends_packed_signs(const Population&, const VoteSpec&);

template <class T>
struct Window {
  int64_t index = 0;  // of all windows of a round
  int64_t row = 0, model = 0;
  size_t lane = 0;
  const VoteSpec& spec;
  Rows rows;              // row, row + 1, ...
  MatrixView<T> numbers;  // (rows.count, P); the consumer leaves the residual here, where there is one
};

template <class T>
class Messages {
 public:
  // specs: one per arm; tensors: the pieces of a row; packs: the model packs signs itself.
  Messages(const Context&, const Population&, const SharedModels&, const std::vector<VoteSpec>& specs,
           const std::vector<Tensor>& tensors, bool packs);

  // Does a lane need no numbers?
  bool packed(size_t lane) const { return packed_[static_cast<size_t>(population_.lanes[lane].arm)]; }

  // consume(window) for all rows, in their order. models (model rows, P). With keep = false velocities and residuals stay as they are.
  template <class F>
  void each(Model<T>& model, const Rows& rows, Slot slot, MatrixView<T> models, bool keep, F consume) {
    int64_t index = 0;
    for (const auto& run : models_.runs)
      for (int64_t w = 0; w < run.count && !packed(run.lane); w += window_) {
        const int64_t first = run.row + w, n = std::min(window_, run.count - w);
        const VoteSpec& spec = specs_[static_cast<size_t>(population_.lanes[run.lane].arm)];
        const Window<T> window{
            index++, first, run.model, run.lane, spec, rows.part(first, n), numbers_.view(n, parameters_)};
        prepare(model, window, slot, models, keep);
        consume(window);
        if (keep && (spec.feeds_back() || spec.sparse())) store_state(window);
      }
  }
  struct Piece {  // the rows of a window
    int64_t row = 0, count = 0, model = 0;
    size_t lane = 0;
  };
  std::vector<Piece> windows() const;
  // Before a round: by how much each arm's last rate was larger; two-way residuals are told in steps.
  void rates(const std::vector<double>& ratio_of_arm);

  int64_t parameters() const { return parameters_; }
  MatrixView<T> state() const { return state_.view(state_.size() > 0 ? population_.rows() : 0, parameters_); }
  VectorView<const int64_t> tensor_begin() const { return tensor_begin_.view(); }  // (tensors + 1)
  std::vector<int64_t> kept_of_tensors(double share) const;
  MatrixView<TopCut> cuts(int64_t rows) const { return cuts_.view(rows, tensor_begin_.size() - 1); }  // of a window
  static int64_t bytes(const Population&, const std::vector<VoteSpec>&, int64_t parameters, int64_t element_size,
                       bool packs);

 private:
  void prepare(Model<T>&, const Window<T>&, Slot, MatrixView<T> models, bool keep);
  void add_local_steps(Model<T>&, const Window<T>&, Slot, MatrixView<const T> shared);
  void add_noise(const Window<T>&, Slot);
  void store_state(const Window<T>&);
  MatrixView<T> state(const Window<T>& w) {
    return state_.view(population_.rows(), parameters_).rows(w.row, w.rows.count);
  }

  const Context& ctx_;
  const Population& population_;
  const SharedModels& models_;
  const std::vector<VoteSpec>& specs_;
  int64_t parameters_ = 0, window_ = 1;
  std::vector<bool> packed_;    // (arms)
  std::vector<int64_t> begin_;  // of the tensors
  std::vector<double> ratio_;   // (arms) in keep_
  Buffer<T> numbers_, local_, local_gradients_, state_;
  Buffer<double> keep_, take_;                // (rows) coefficients of the state and of the gradient
  Buffer<double> ones_, zeros_;               // (rows)
  Buffer<uint8_t> replaced_;                  // (rows) adversaries that send nothing but noise
  Buffer<double> attack_, noise_, norms_;     // (rows) deviations of the attack; scales of the noise
  Buffer<TopCut> cuts_;                       // (window, tensors) where tensors are cut
  Buffer<int64_t> tensor_begin_, whole_row_;  // the tensors of a row; the row as one piece
};

}  // namespace orrery
