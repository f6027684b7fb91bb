// Products with the Hessian of a lane's objective f = sum_i a_i F_i at one shared point, for many directions at once:
//
//   out[k,:] = sum_i a_i H_i(x) v[k,:],   rows of a launch = (direction k, worker i), each over the worker's whole data
//
// Option   `samples` > 0: at most so many of every worker's samples, evenly spread over its list; a_i stays.
// Order    blocks of at most 32 workers (fewer where 32 rows exceed 32 MiB) in their order (kernels/group_mean.hpp), the blocks' sums added in
//          order: a product depends on the lane and the direction alone, not on how many directions share a launch.
// Memory   at most `bytes` (32 MiB) of rows, and the same of products; the model may take as much for itself. At least one block of rows.
// Cost     a Hessian product of every worker's data per direction.
#pragma once

#include <vector>

#include "models/model.hpp"
#include "runtime/curvature/symmetric_products.hpp"
#include "runtime/population.hpp"

namespace orrery {

struct HessianLaunch {
  int64_t block = 1, directions = 1;  // workers and directions of one launch, at most
  int64_t rows() const { return block * directions; }
};
HessianLaunch hessian_launch(int64_t workers, int64_t parameters, int64_t element_size,
                             int64_t bytes = int64_t{32} << 20);
// For the plan: on the device, for at most so many directions, what a model without exact products asks for included; and the largest
// number of samples of a row.
int64_t hessian_bytes(const Population&, int64_t parameters, int64_t element_size, int64_t directions, int64_t samples);
int64_t hessian_samples(const Population&, int64_t samples);

template <class T>
class ObjectiveHessian {
 public:
  ObjectiveHessian(const Context&, const Population&, int64_t parameters, int64_t samples = 0,
                   int64_t bytes = int64_t{32} << 20);

  // x (1,P); v, out (m,P), not overlapping; all, slot: of the launch
  void times(Model<T>&, const Rows& all, Slot, size_t lane, MatrixView<const T> x, MatrixView<const T> v,
             MatrixView<T> out) const;
  // The same with directions and products on the host; model and x must outlive it.
  SymmetricProducts at(Model<T>&, const Rows& all, Slot, size_t lane, MatrixView<const T> x) const;

 private:
  struct Pairs;  // the rows of a launch

  const Context& ctx_;
  const Population& population_;
  int64_t parameters_, most_samples_ = 1;
  HessianLaunch launch_;
  std::vector<int64_t> begin_, size_;  // (rows of the population); empty without data
  Buffer<int32_t> order_;              // where `samples` chooses; empty: the launch's
};

}  // namespace orrery
