// The metrics by name, and their values at one point of a run.
//
//   u          weighted mean model sum_i a_i w_i                      f  = sum_i a_i F_i, l2 included
//   train_loss f(u)      grad_norm_sq |grad f(u)|^2, grad_norm_1 sum_n |grad f(u)_n|
//   test_loss, test_accuracy, train_accuracy at u; worker_...: mean over the workers
//   consensus_distance sum_i a_i |w_i - u|^2 = sum over tiers of dispersion_<tier> (+ dispersion_graph above the top tier)
//   dispersion_<tier>  sum over the tier's nodes and their children of mass * |mean of child - mean of node|^2
//   divergence_<tier>  the same of the exact local gradients, all taken at u (papers: H-SGD section 4)
//   excess_risk, excess_risk_mean  (1/W) sum_i f(w_i) - min f, f(u) - min f; with algorithm.start: above f at that point
//   optimum_distance   sqrt((1/W) sum_i |w_i - w*|^2); of prox-lead w* is the minimum with the l1 term
//   hessian_trace, hessian_top   Tr H and lambda_max(H) of the Hessian H of f at u: an estimate by Hutchinson's probes with its standard error
//                      hessian_trace_error, and Lanczos (runtime/curvature/); exact where P <= probes, and P <= 64
//   worker_hessian_trace, worker_hessian_top   the same, H of f at the workers' own models, mean over all or over 8 evenly spread ones
//   mean_parameter  (1/P) sum_k u_k;  mean_parameter_<k>, parameter_<i>_<k>   one number of u, of w_i (runtime/parameter_metric.hpp)
//   mean_norm_sq    |u|^2
//   escape_time, escaped  of [record.escape] (runtime/escape.hpp): the first step that was looked at and had passed the level, NaN until then; 0 or 1
//   escape_kilobits  one worker's messages until then, each once, with numbers of 32 bits (methods with compressed messages)
//   vote_error, vote_agreement  of the vote that comes next, at the models where it is taken (one: u; its weights and rates are those before
//                      the drop of a rate that falls on this step): sum_j |g_j| [u_j != sign g_j] / sum_j |g_j| with g = grad f(u), a tie counts
//                      half; share of the workers' signs that agree with what was decided
//   bits_up, bits_down, bits (both), virtual_time (slots), steps_done (worker-steps)
//
// Cost: train_loss, test_* one pass over the set per replica; grad_norm_sq, grad_norm_1, vote_error one gradient of every worker's whole data
// for all of them (grad_norm_sq of quadratics: O(P)), and one with the divergences; vote_error reads the packed signs once more;
// worker_* one pass per worker; a Hessian product of every worker's data (or of record.hessian.samples of it) costs a few gradients of them:
// traces take record.hessian.probes of them per replica, eigenvalues at most lanczos_steps, worker_hessian_* both at each model; the others a pass over the parameters.
#pragma once

#include <string>
#include <vector>

#include "runtime/cluster.hpp"
#include "runtime/curvature/objective_hessian.hpp"
#include "runtime/objective_gradient.hpp"
#include "runtime/tier_split.hpp"
#include "runtime/voting/measurement.hpp"

namespace orrery {

struct MetricInfo {
  std::string name, what;
  bool needs_data = false, needs_optimum = false;
};
const std::vector<MetricInfo>& metric_table();
std::string tier_of(
    const std::string& metric);  // "dispersion_edge" -> "edge"; "" where the metric is not split by tiers

// Throws through Params::fail: unknown names (the nearest known one named), metrics that the models or networks of `arms` cannot have.
struct Arm;
void check_metrics(const Params& record, const std::vector<std::string>& metrics, const std::vector<Arm>& arms,
                   const std::string& key = "metrics");

template <class T>
class Evaluator {
 public:
  explicit Evaluator(ClusterOf<T>&, const Experiment&);

  // values[lane][metric]; NaN where a metric does not apply to a lane's arm (a tier that it has not).
  std::vector<std::vector<double>> values();

  // Only the metric that [record.escape] watches: notes which lanes have passed its level by now. values() looks, too.
  void look();

  // Throws NonFiniteError naming arm, replica, worker, tensor and the steps since the last call.
  void require_finite();

  std::vector<T> mean_models();  // (lanes, P) on the host

  // One sentence per metric whose eigenvalues had not settled when the Lanczos steps were used up.
  std::vector<std::string> notices() const;

  // What all votes that values() looked at were seen to do; arm: of this launch.
  const VoteMeasurement& votes(int arm) const { return votes_[static_cast<size_t>(arm)]; }

 private:
  void forget();  // what was computed for an earlier moment
  void note_escapes();
  double kilobits_so_far(size_t lane);                            // of one worker's messages, with numbers of 32 bits
  const std::vector<double>& by_name(const std::string& metric);  // (lanes), computed once per call of values()
  MatrixView<const T> means();                                    // u (lanes, P)
  bool records(const std::string& metric) const;
  std::vector<double> objective_gradient(size_t lane);  // at u, float64
  void look_at_gradients();               // norms, and where recorded vote_error with all that votes are held against
  std::vector<VoteLook> look_at_votes();  // per lane, without a reference; vote_agreement
  double look_at_decisions(size_t lane, const std::vector<double>& gradient, VoteLook&);  // vote_error
  void keep(const std::vector<VoteLook>&);
  MatrixView<const T> gradients_at_means();         // (rows, P)
  void look_at_hessian(const std::string& metric);  // at the mean models, or the workers'

  ClusterOf<T>& cluster_;
  const Experiment& experiment_;
  const Population& population_;
  const Context& ctx_;
  int64_t p_;
  DeviceGroups lane_groups_;
  std::vector<VoteMeasurement> votes_;  // per arm
  ObjectiveGradient<T> gradient_;
  std::unique_ptr<ObjectiveHessian<T>> hessian_;  // made when first asked for
  struct Lanczos {
    int64_t runs = 0, unsettled = 0;
    double worst = 0;  // residual over value
  };
  std::map<std::string, Lanczos> lanczos_;          // by metric
  TierSplit<T> tier_split_;                         // made where a metric is split by tiers
  Buffer<T> means_, optimum_, start_;               // start_: (lanes, P) of algorithm.start, where it is given
  std::vector<double> least_;                       // (lanes) f where excess risk is 0, once it is asked for
  bool one_model_each_ = false;                     // all workers of a lane share one model
  std::vector<double> workers_at_, mass_of_model_;  // (rows of the parameters) workers there; sum of their weights
  std::vector<size_t> lane_of_model_;
  Buffer<int64_t> lane_of_row_;  // the same on the device
  Buffer<double> row_values_;
  int64_t checked_at_ = 0;
  std::vector<double> escape_time_, escape_kilobits_;  // (lanes), NaN until then; empty where nothing is watched
  std::map<std::string, std::vector<double>> cache_;
  bool means_ready_ = false, gradients_ready_ = false;
  bool divergences_ = false;  // are recorded
};

}  // namespace orrery
