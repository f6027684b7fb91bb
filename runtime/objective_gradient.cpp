#include "runtime/objective_gradient.hpp"

#include <algorithm>

namespace orrery {

template <class T>
ObjectiveGradient<T>::ObjectiveGradient(const Context& ctx, const Population& p, int64_t parameters)
    : ctx_(ctx),
      population_(p),
      parameters_(parameters),
      chunk_(std::clamp<int64_t>((int64_t{32} << 20) / (parameters * int64_t{sizeof(T)}), 1, p.workers)),
      no_batch_(ctx, p.workers),
      always_(ctx, std::vector<double>(static_cast<size_t>(p.workers), 1.0)) {}

template <class T>
Rows ObjectiveGradient<T>::whole_data(const Rows& all, size_t lane) const {
  Rows rows = all.part(population_.lanes[lane].first_row, population_.workers);
  rows.batch = no_batch_.view();
  rows.rate = always_.view();
  rows.present = {};
  rows.repeats = {};
  rows.max_repeats = 1;
  rows.max_batch = population_.max_size;
  return rows;
}

template <class T>
template <class F>
std::vector<double> ObjectiveGradient<T>::add_up(size_t i, F gradients) {
  const int64_t workers = population_.workers;
  const auto chunks = static_cast<size_t>((workers + chunk_ - 1) / chunk_);
  if (parts_.empty())
    for (const auto& lane : population_.lanes)
      for (int64_t first = 0; first < workers; first += chunk_) {
        Groups part;
        part.begin = {0, std::min(chunk_, workers - first)};
        for (int64_t w = 0; w < part.begin[1]; ++w) {
          part.member.push_back(w);
          part.weight.push_back(lane.network->weights()[static_cast<size_t>(first + w)]);
        }
        parts_.emplace_back(ctx_, std::vector<const Groups*>{&part}, std::vector<int64_t>{0});
      }
  const Buffer<T> sum(ctx_, parameters_);
  std::vector<double> gradient(static_cast<size_t>(parameters_));
  for (int64_t first = 0; first < workers; first += chunk_) {
    const MatrixView<const T> rows = gradients(first, std::min(chunk_, workers - first));
    const DeviceGroups& part = parts_[i * chunks + static_cast<size_t>(first / chunk_)];
    group_mean<T>(ctx_, part.table(), rows, sum.view(1, parameters_));
    const auto host = sum.to_host(ctx_);
    for (size_t j = 0; j < host.size(); ++j) gradient[j] += static_cast<double>(host[j]);
  }
  return gradient;
}

template <class T>
std::vector<double> ObjectiveGradient<T>::at(Model<T>& model, const Rows& all, Slot slot, size_t lane,
                                             MatrixView<const T> x) {
  const Rows rows = whole_data(all, lane);
  const Buffer<T> g(ctx_, chunk_ * parameters_);
  return add_up(lane, [&](int64_t first, int64_t n) -> MatrixView<const T> {
    const MatrixView<const T> shared(x.data(), n, parameters_, 0, ctx_.backend);
    model.gradients(ctx_, rows.part(first, n), slot, shared, g.view(n, parameters_));
    return g.view(n, parameters_);
  });
}

template <class T>
std::vector<double> ObjectiveGradient<T>::of(size_t lane, MatrixView<const T> gradients) {
  return add_up(lane, [&](int64_t first, int64_t n) { return gradients.rows(first, n); });
}

template class ObjectiveGradient<float>;
template class ObjectiveGradient<double>;

}  // namespace orrery
