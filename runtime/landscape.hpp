// The objective around the final mean model along random directions, scaled filter by filter: how flat the place is where a run ended.
//
//   d = Gaussian, then for every filter F (the weights into one output):  d_F <- d_F |u_F| / |d_F|;  biases stay where they are
//   f(u + alpha d) for alpha in [-radius, radius], evenly spaced
//
// Source   Li, Xu, Taylor, Studer, Goldstein, Visualizing the Loss Landscape of Neural Nets (2018), arXiv 1712.09913: the scaling makes curves of
//          models of different size comparable. A tensor that has no filters (a quadratic's x) is scaled as a whole.
// Draws    direction k of a replica depends on (seed of the replica, k, coordinate) alone: every arm is looked at along the same draws.
// Cost     per replica directions x points passes over the training set (and the test set with `test`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/core/params.hpp"
#include "models/model.hpp"

namespace orrery {

struct LandscapeSpec {  // [record.landscape]
  int64_t directions = 1, points = 21;
  double radius = 1;
  bool test = false;

  std::vector<double> alphas() const;
  int64_t together(int64_t parameters, int64_t element_size) const;  // points at a time: 32 MiB of them
};
LandscapeSpec parse_landscape(Params section);

struct LandscapePoint {
  int64_t replica = 0, direction = 0;
  double alpha = 0, train_loss = 0, test_loss = 0, test_accuracy = 0;
};

// (P) in float64; u: the model.
std::vector<double> filter_normalised_direction(const std::vector<Tensor>& layout, const std::vector<double>& u,
                                                uint64_t seed, int64_t direction);

// By direction, then alpha. u (P); the points are rounded to T once.
template <class T>
std::vector<LandscapePoint> landscape(const Context&, Model<T>&, const LandscapeSpec&,
                                      const std::vector<Tensor>& layout, const std::vector<double>& u, const Objective&,
                                      int64_t replica, uint64_t seed);

struct Experiment;
struct RunResult;
std::string landscape_csv(const Experiment&,
                          const RunResult&);  // [arm,]replica,direction,alpha,train_loss[,test_loss,test_accuracy]

}  // namespace orrery
