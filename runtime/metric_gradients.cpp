// Metrics that take gradients of the objective, and votes beside them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/sign_errors.hpp"
#include "runtime/metrics.hpp"

namespace orrery {

// every worker's whole data, whoever steps in the slot
template <class T>
Rows Evaluator<T>::whole_data(const Lane& lane) const {
  Rows rows = cluster_.rows().part(lane.first_row, population_.workers);
  rows.batch = no_batch_.view();
  rows.rate = always_.view();
  rows.present = {};
  rows.max_batch = population_.max_size;
  return rows;
}

// grad F_i(u) of every row in the gradient bank; taken once per call of values()
template <class T>
MatrixView<const T> Evaluator<T>::gradients_at_means() {
  const MatrixView<T> g = cluster_.gradient_bank();
  for (size_t i = 0; i < population_.lanes.size() && !gradients_ready_; ++i) {
    const Lane& lane = population_.lanes[i];
    const MatrixView<const T> shared(means().row(static_cast<int64_t>(i)), population_.workers, p_, 0, ctx_.backend);
    cluster_.model().gradients(ctx_, whole_data(lane), cluster_.slot(), shared,
                               g.rows(lane.first_row, population_.workers));
  }
  gradients_ready_ = true;
  return g;
}

// sum_i a_i grad F_i(u) of a lane: workers in chunks so that no (W, P) matrix is needed; where divergences fill one anyway, the same sums over
// its rows
template <class T>
std::vector<double> Evaluator<T>::objective_gradient(size_t i) {
  const int64_t chunk = std::clamp<int64_t>((int64_t{32} << 20) / (p_ * int64_t{sizeof(T)}), 1, population_.workers);
  const Buffer<T> g(ctx_, divergences_ ? 0 : chunk * p_), sum(ctx_, p_);
  const auto chunks = static_cast<size_t>((population_.workers + chunk - 1) / chunk);
  if (parts_.empty())
    for (const auto& lane : population_.lanes)
      for (int64_t first = 0; first < population_.workers; first += chunk) {
        Groups part;
        part.begin = {0, std::min(chunk, population_.workers - first)};
        for (int64_t w = 0; w < part.begin[1]; ++w) {
          part.member.push_back(w);
          part.weight.push_back(lane.network->weights()[static_cast<size_t>(first + w)]);
        }
        parts_.emplace_back(ctx_, std::vector<const Groups*>{&part}, std::vector<int64_t>{0});
      }
  const Lane& lane = population_.lanes[i];
  std::vector<double> gradient(static_cast<size_t>(p_));
  for (int64_t first = 0; first < population_.workers; first += chunk) {
    const int64_t n = std::min(chunk, population_.workers - first);
    MatrixView<const T> rows;
    if (divergences_) {
      rows = gradients_at_means().rows(lane.first_row + first, n);
    } else {
      const MatrixView<const T> shared(means().row(static_cast<int64_t>(i)), n, p_, 0, ctx_.backend);
      cluster_.model().gradients(ctx_, whole_data(lane).part(first, n), cluster_.slot(), shared, g.view(n, p_));
      rows = g.view(n, p_);
    }
    const DeviceGroups& part = parts_[i * chunks + static_cast<size_t>(first / chunk)];
    group_mean<T>(ctx_, part.table(), rows, sum.view(1, p_));
    const auto host = sum.to_host(ctx_);
    for (size_t j = 0; j < host.size(); ++j) gradient[j] += static_cast<double>(host[j]);
  }
  return gradient;
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
  template Rows Evaluator<T>::whole_data(const Lane&) const;                                      \
  template MatrixView<const T> Evaluator<T>::gradients_at_means();                                \
  template std::vector<double> Evaluator<T>::objective_gradient(size_t);                          \
  template void Evaluator<T>::look_at_gradients();                                                \
  template double Evaluator<T>::look_at_decisions(size_t, const std::vector<double>&, VoteLook&); \
  template std::vector<VoteLook> Evaluator<T>::look_at_votes();                                   \
  template void Evaluator<T>::keep(const std::vector<VoteLook>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
