#include "runtime/voting/reference.hpp"

#include <algorithm>

namespace orrery {

template <class T>
Reference<T>::Reference(const Context& ctx, const Population& p, int64_t parameters)
    : ctx_(ctx),
      population_(p),
      parameters_(parameters),
      chunk_(std::clamp<int64_t>((int64_t{32} << 20) / (parameters * int64_t{sizeof(T)}), 1, p.workers)) {}

template <class T>
std::vector<double> Reference<T>::gradient(Model<T>& model, const Rows& all, Slot slot, size_t i,
                                           MatrixView<const T> x) {
  const int64_t workers = population_.workers;
  const auto chunks = static_cast<size_t>((workers + chunk_ - 1) / chunk_);
  if (parts_.empty()) {
    no_batch_ = Buffer<int32_t>(ctx_, workers);
    always_ = Buffer<double>(ctx_, std::vector<double>(static_cast<size_t>(workers), 1.0));
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
  }
  Rows rows = all.part(population_.lanes[i].first_row, workers);
  rows.batch = no_batch_.view();
  rows.rate = always_.view();
  rows.present = {};
  rows.repeats = {};
  rows.max_repeats = 1;
  rows.max_batch = population_.max_size;
  const Buffer<T> g(ctx_, chunk_ * parameters_), sum(ctx_, parameters_);
  std::vector<double> gradient(static_cast<size_t>(parameters_));
  for (int64_t first = 0; first < workers; first += chunk_) {
    const int64_t n = std::min(chunk_, workers - first);
    const MatrixView<const T> shared(x.data(), n, parameters_, 0, ctx_.backend);
    model.gradients(ctx_, rows.part(first, n), slot, shared, g.view(n, parameters_));
    const DeviceGroups& part = parts_[i * chunks + static_cast<size_t>(first / chunk_)];
    group_mean<T>(ctx_, part.table(), g.view(n, parameters_), sum.view(1, parameters_));
    const auto host = sum.to_host(ctx_);
    for (size_t j = 0; j < host.size(); ++j) gradient[j] += static_cast<double>(host[j]);
  }
  return gradient;
}

template class Reference<float>;
template class Reference<double>;

}  // namespace orrery
