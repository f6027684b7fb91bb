// Constants of the theory, measured at the mean model u of the first replica of each arm of a launch (papers/h-sgd.md 4.4, 5.4).
//
//   smoothness   models with linear scores: factor * max_j lambda_max(Z_j^T Z_j / m_j) + l2 over the workers, an upper bound (smoothness.hpp).
//                Others: power iteration on Hessian-vector products of 4 workers, 256 samples each, 12 iterations: a lower estimate.
//                Where the data are too many for all workers, 16 workers: a lower estimate of the maximum.
//   sigma_sq     max over workers of (1/b_j) (mean_s |grad of sample s|^2 - |mean_s grad of sample s|^2), at most 16 workers and 256 of
//                each one's samples, both evenly spaced; corrected by m/(m-1) (n-1)/n where m of n samples were taken. batch = "full": 0.
//   divergence   eps^2 of every tier from the exact local gradients of all workers at u, as the metrics divergence_<tier>
//   start_value  f(u) at the first visit
//   local        decentralised arms, at the first visit: Tr(H) and lambda_max(H) as the metrics take them; d_k from every worker's whole data; noise
//                of at most 16 workers and 256 of each one's samples, without data of 256 draws of a single sample's gradient (quadratics: exact).
//                H is over record.hessian.samples of every worker, where that is 0 over at most 256, and 16,384 of all workers. Costs
//                W + probes + lanczos_steps + 16 x 256 products with H, 16 x 16 in place of the last where they are dear
//
// Constants that a model knows in closed form (quadratics) or the file gives are not estimated. A visit reads the state of the run and changes
// nothing: it draws no random numbers and works in its own buffers, at most 32 MiB of gradients on the device and the means of all nodes on the host
// (decentralised arms: at most 2^26 numbers of gradients, and as many of their products with H, in float64).
#pragma once

#include <functional>
#include <vector>

#include "runtime/cluster.hpp"
#include "runtime/curvature/symmetric_products.hpp"
#include "runtime/theory/constants.hpp"

namespace orrery {

template <class T>
class Estimator {
 public:
  Estimator(ClusterOf<T>&, const Experiment&, const DeviceData*);
  void visit();  // at the present state; maxima over visits
  const Estimates& of(int arm) const { return estimates_[static_cast<size_t>(arm)]; }  // index into Population::arms

 private:
  void visit(int arm);
  void smoothness_of_data(int arm, const LinearCurvature&);
  void smoothness_along(int arm, MatrixView<const T> u);
  void noise(int arm, MatrixView<const T> u);
  void divergences(int arm, MatrixView<const T> u);
  void curvature(int arm, MatrixView<const T> u);  // of decentralised arms
  void heterogeneity(size_t lane, MatrixView<const T> u, const SymmetricProducts&, diffusion::LocalConstants&);
  void sample_noise(int arm, MatrixView<const T> u, const SymmetricProducts&, diffusion::LocalConstants&);
  // Gradients of m single samples of a worker at u: of its list, or without data of m independent draws. f(first, g (n,P)), a chunk at a time.
  void sample_gradients(const Lane&, int64_t worker, const std::vector<int32_t>& list, int64_t m, MatrixView<const T> u,
                        const std::function<void(int64_t first, MatrixView<const T> g)>& f);
  std::vector<int32_t> samples_of(const Lane&, int64_t worker, int64_t most) const;
  int64_t chunk() const;  // rows of gradients at a time

  ClusterOf<T>& cluster_;
  const Experiment& experiment_;
  const DeviceData* data_;
  const Population& population_;
  const Context& ctx_;
  int64_t p_;
  std::vector<Estimates> estimates_;
};

int64_t estimate_hessian_samples(const HessianSpec&, int64_t workers);           // of every worker, for `local`
int64_t estimate_bytes(int64_t rows, int64_t parameters, int64_t element_size);  // on the device, for the plan

}  // namespace orrery
