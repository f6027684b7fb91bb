// One arm's server where numbers are averaged in place of a vote (papers/signsgd-fv.md 3.7, 7.2, 7.4).
//
//   mean, batch-mean   d <- sum_m w_m g_m            w_m = 1/M, or B_m / sum B
//   average            d <- (a/M) sum_m Y_m          a: the noise's amplitude
//   error feedback     d <- (1/M) sum_m c_m          c_m = (|p_m|_1 / n) sign(p_m) per tensor
//   two-way            q <- mean c_m + r e,  d <- (|q|_1 / n) sign(q),  e <- q - d
//   top-k              d <- sum_m (what m sent) / (number of those who sent it + 1e-5)
//
// Memory   a few rows of P per model, and a scale per worker and tensor (error feedback); top-k: what all workers send, rows * P.
// Result   the order of every sum depends on the arm alone: the same bits for any number of threads.
#pragma once

#include <vector>

#include "runtime/participation.hpp"
#include "runtime/voting/messages.hpp"

namespace orrery {

template <class T>
class Means {
 public:
  // Lanes first_lane ... first_lane + lanes - 1 of the population; messages: all of its windows.
  Means(const Context&, const Population&, const SharedModels&, const Messages<T>&, VoteSpec, size_t first_lane,
        size_t lanes);

  void begin();  // a round
  // signs: of the window's rows, written where signs are sent. What is not sent stays in the window.
  void add(const Window<T>&, Slot, const SignsOut& signs);
  // The direction (models, P). signs: of all rows of the arm; ratio: of the last learning rate to this one.
  MatrixView<const T> finish(const SignsIn& signs, bool keep, double ratio);

  static int64_t bytes(const VoteSpec&, int64_t rows, int64_t models, int64_t parameters, int64_t tensors,
                       int64_t element_size);

 private:
  void add_numbers(const Window<T>&);
  void compress_direction(bool keep, double ratio);

  const Context& ctx_;
  const Messages<T>& messages_;
  VoteSpec spec_;
  int64_t first_row_ = 0, first_model_ = 0, rows_ = 0, models_ = 0, parameters_ = 0, tensors_ = 1;
  int64_t first_window_ = 0;
  std::vector<DeviceGroups> parts_;  // of each window: its rows as one group, with their weights
  DeviceGroups groups_, alone_;      // the rows below each model; each model alone
  Buffer<int64_t> keep_;             // (tensors) coordinates that top-k keeps
  Buffer<T> direction_, part_, residual_;
  Buffer<T> sent_;  // (rows) what top-k sends
  Buffer<double> ones_, ratio_, norms_, scales_, server_norms_, server_scales_;
  Buffer<uint32_t> server_signs_;
};

}  // namespace orrery
