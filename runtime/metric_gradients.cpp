// Metrics that take gradients of the objective, and votes beside them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/sign_errors.hpp"
#include "runtime/metrics.hpp"

namespace orrery {

// grad F_i(u) of every row in the gradient bank; taken once per call of values()
template <class T>
MatrixView<const T> Evaluator<T>::gradients_at_means() {
  const MatrixView<T> g = cluster_.gradient_bank();
  for (size_t i = 0; i < population_.lanes.size() && !gradients_ready_; ++i) {
    const Lane& lane = population_.lanes[i];
    const MatrixView<const T> shared(means().row(static_cast<int64_t>(i)), population_.workers, p_, 0, ctx_.backend);
    cluster_.model().gradients(ctx_, gradient_.whole_data(cluster_.rows(), i), cluster_.slot(), shared,
                               g.rows(lane.first_row, population_.workers));
  }
  gradients_ready_ = true;
  return g;
}

// sum_i a_i grad F_i(u) of a lane; where divergences fill the bank anyway, from its rows
template <class T>
std::vector<double> Evaluator<T>::objective_gradient(size_t i) {
  if (divergences_)
    return gradient_.of(i, gradients_at_means().rows(population_.lanes[i].first_row, population_.workers));
  return gradient_.at(cluster_.model(), cluster_.rows(), cluster_.slot(), i, means().rows(static_cast<int64_t>(i), 1));
}

// Norms of the objective's gradient, and where vote_error is recorded what the next vote makes of it: one gradient per lane for all of them.
template <class T>
void Evaluator<T>::look_at_gradients() {
  const size_t lanes = population_.lanes.size();
  const bool votes = records("vote_error");
  std::vector<double> squares(lanes);
  auto &sums = cache_["grad_norm_1"], &errors = cache_["vote_error"];
  sums.assign(lanes, 0.0);
  errors.assign(lanes, 0.0);
  std::vector<VoteLook> looks = votes ? look_at_votes() : std::vector<VoteLook>{};
  for (size_t i = 0; i < lanes; ++i) {
    const auto g = objective_gradient(i);
    for (const double v : g) squares[i] += v * v, sums[i] += std::abs(v);
    if (votes) errors[i] = look_at_decisions(i, g, looks[i]);
  }
  if (votes) keep(looks);
  const Arm& first = experiment_.arms[static_cast<size_t>(population_.arms[0])];
  if (!first.model->has_gradient_norms()) cache_["grad_norm_sq"] = squares;  // else its closed form
}

// What is decided at the models of a lane, by the workers below them, held against the gradient at their mean; where there is one model
// and signs are sent, the workers', too.
template <class T>
double Evaluator<T>::look_at_decisions(size_t lane, const std::vector<double>& g, VoteLook& look) {
  const Voting<T>& voting = *cluster_.voting();
  const SharedModels& models = voting.models();
  const int64_t first = models.first[lane], n = models.of_lane(lane);
  if (n == 1 && voting.spec(population_.lanes[lane].arm).sends_signs()) {
    look_at_errors(ctx_, g, voting.decoded().part(first, 1),
                   voting.signs().part(population_.lanes[lane].first_row, population_.workers), look);
    return look.vote_error;
  }
  double norm = 0, lost = 0;
  for (const double v : g) norm += std::abs(v);
  const Buffer<double> reference(ctx_, g), wrong(ctx_, n);
  sign_errors(ctx_, voting.decoded().part(first, n), reference.view(), wrong.view());
  const auto host = wrong.to_host(ctx_);
  for (int64_t k = 0; k < n; ++k) lost += models.mass[static_cast<size_t>(first + k)] * host[static_cast<size_t>(k)];
  return norm > 0 ? lost / norm : 0 * norm;
}

// The vote that comes next at u, and how many of the workers' signs agree with it.
template <class T>
std::vector<VoteLook> Evaluator<T>::look_at_votes() {
  cluster_.look_at_vote();
  const auto agreed = to_host(ctx_, cluster_.voting()->agreed());
  const auto workers = static_cast<size_t>(population_.workers);
  std::vector<VoteLook> looks(population_.lanes.size());
  auto& agreements = cache_["vote_agreement"];
  agreements.assign(looks.size(), 0.0);
  for (size_t r = 0; r < agreed.size(); ++r) {
    if (!cluster_.voting()->spec(population_.lanes[r / workers].arm).sends_signs()) {  // numbers agree with no sign
      agreements[r / workers] = std::numeric_limits<double>::quiet_NaN();
      continue;
    }
    looks[r / workers].agreement.push_back(static_cast<double>(agreed[r]) / static_cast<double>(p_));
    agreements[r / workers] += static_cast<double>(agreed[r]) / static_cast<double>(p_ * population_.workers);
  }
  return looks;
}

template <class T>
void Evaluator<T>::keep(const std::vector<VoteLook>& looks) {
  for (size_t i = 0; i < looks.size(); ++i) {
    const int arm = population_.lanes[i].arm;
    const VoteSpec& spec = cluster_.voting()->spec(arm);
    if (!spec.decides_signs() && spec.vote != Vote::average) continue;  // no vote of signs
    VoteMeasurement& m = votes_[static_cast<size_t>(arm)];
    (spec.learns() && cluster_.now() < spec.warmup ? m.warmup : m.after).add(looks[i]);
  }
}

#define ORRERY_INSTANTIATE(T)                                                                     \
  template MatrixView<const T> Evaluator<T>::gradients_at_means();                                \
  template std::vector<double> Evaluator<T>::objective_gradient(size_t);                          \
  template void Evaluator<T>::look_at_gradients();                                                \
  template double Evaluator<T>::look_at_decisions(size_t, const std::vector<double>&, VoteLook&); \
  template std::vector<VoteLook> Evaluator<T>::look_at_votes();                                   \
  template void Evaluator<T>::keep(const std::vector<VoteLook>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
