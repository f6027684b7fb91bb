#include "runtime/curvature/objective_hessian.hpp"

#include <algorithm>
#include <map>

#include "kernels/descend.hpp"
#include "kernels/group_mean.hpp"
#include "runtime/participation.hpp"
#include "runtime/theory/sampled_rows.hpp"

namespace orrery {
namespace {

constexpr int64_t block_bytes = int64_t{32} << 20;  // of the rows of a block of workers
constexpr int64_t most_directions = 1024;           // of a launch

}  // namespace

HessianLaunch hessian_launch(int64_t workers, int64_t parameters, int64_t element_size, int64_t bytes) {
  const int64_t row = parameters * element_size;
  HessianLaunch launch;
  launch.block = std::clamp<int64_t>(block_bytes / row, 1, std::min(workers, sum_block));
  launch.directions = std::clamp<int64_t>(bytes / row / launch.block, 1, most_directions);
  return launch;
}

int64_t hessian_samples(const Population& p, int64_t samples) {
  return p.size.empty() ? 1 : samples > 0 ? std::min(samples, p.max_size) : p.max_size;
}

int64_t hessian_bytes(const Population& p, int64_t parameters, int64_t element_size, int64_t directions,
                      int64_t samples) {
  // copies and products, a point and a gradient of each where the model takes differences; directions, their products, a part of the sum
  const HessianLaunch launch = hessian_launch(p.workers, parameters, element_size);
  const int64_t most = std::min(launch.directions, directions);
  const bool chosen = !p.size.empty() && hessian_samples(p, samples) < p.max_size;
  return (4 * launch.block + 3) * most * parameters * element_size + most * launch.block * 64 +
         (chosen ? 4 * samples * p.rows() : 0);
}

template <class T>
ObjectiveHessian<T>::ObjectiveHessian(const Context& ctx, const Population& p, int64_t parameters, int64_t samples,
                                      int64_t bytes)
    : ctx_(ctx),
      population_(p),
      parameters_(parameters),
      most_samples_(hessian_samples(p, samples)),
      launch_(hessian_launch(p.workers, parameters, sizeof(T), bytes)),
      begin_(p.begin),
      size_(p.size) {
  if (begin_.empty() || most_samples_ == p.max_size) return;

  // the chosen samples, once for all rows of one list
  std::vector<int32_t> order;
  std::map<int64_t, int64_t> place;
  for (size_t r = 0; r < begin_.size(); ++r) {
    const auto [found, fresh] = place.try_emplace(begin_[r], static_cast<int64_t>(order.size()));
    if (fresh)
      for (const int64_t k : spread(size_[r], samples)) order.push_back(p.order[static_cast<size_t>(begin_[r] + k)]);
    begin_[r] = found->second;
    size_[r] = std::min(size_[r], samples);
  }
  order_ = Buffer<int32_t>(ctx, order);
}

// Direction k of n, worker first + i of w: row k w + i.
template <class T>
struct ObjectiveHessian<T>::Pairs {
  Buffer<uint64_t> seed;
  Buffer<int32_t> worker, batch;
  Buffer<double> one;
  Buffer<int64_t> begin, size, each_begin, each_source;
  Buffer<double> each_one;
  DeviceGroups groups;  // the workers of each direction, with a_i
  Rows rows;

  Pairs(const ObjectiveHessian& h, const Rows& all, const Lane& lane, int64_t first, int64_t w, int64_t n) {
    const Context& ctx = h.ctx_;
    std::vector<int32_t> who;
    std::vector<int64_t> from, held, source, begins{0};
    Groups sums;
    sums.begin = {0};
    for (int64_t k = 0; k < n; ++k) {
      for (int64_t i = 0; i < w; ++i) {
        const auto r = static_cast<size_t>(lane.first_row + first + i);
        who.push_back(static_cast<int32_t>(first + i));
        if (!h.begin_.empty()) from.push_back(h.begin_[r]), held.push_back(h.size_[r]);
        sums.member.push_back(k * w + i);
        sums.weight.push_back(lane.network->weights()[static_cast<size_t>(first + i)]);
      }
      sums.begin.push_back(static_cast<int64_t>(sums.member.size()));
      source.push_back(k);
      begins.push_back(k + 1);
    }
    groups = DeviceGroups(ctx, {&sums}, {0});
    each_begin = Buffer<int64_t>(ctx, begins);
    each_source = Buffer<int64_t>(ctx, source);
    each_one = Buffer<double>(ctx, std::vector<double>(static_cast<size_t>(n), 1.0));
    seed = Buffer<uint64_t>(ctx, std::vector<uint64_t>(who.size(), lane.seed));
    worker = Buffer<int32_t>(ctx, who);
    batch = Buffer<int32_t>(ctx, n * w);  // zeros: whole lists
    one = Buffer<double>(ctx, std::vector<double>(who.size(), 1.0));
    rows.count = n * w;
    rows.seed = seed.view();
    rows.worker = worker.view();
    rows.learning_rate = rows.rate = one.view();
    rows.batch = batch.view();
    rows.max_batch = h.most_samples_;
    if (from.empty()) return;
    begin = Buffer<int64_t>(ctx, from);
    size = Buffer<int64_t>(ctx, held);
    rows.begin = begin.view();
    rows.size = size.view();
    rows.order = h.order_.size() > 0 ? h.order_.view() : all.order;
  }
  MixTable copies() const { return {each_begin.view(), each_source.view(), each_one.view()}; }
};

template <class T>
void ObjectiveHessian<T>::times(Model<T>& model, const Rows& all, Slot slot, size_t lane, MatrixView<const T> x,
                                MatrixView<const T> v, MatrixView<T> out) const {
  const int64_t P = parameters_, workers = population_.workers;
  expects(x.extent(1) == P && v.extent(1) == P && out.extent(1) == P && v.extent(0) == out.extent(0),
          "x of shape (1, P), v and out of shape (m, P)");
  const int64_t most = std::min(launch_.directions, v.extent(0));
  const Buffer<T> copies(ctx_, launch_.block > 1 ? most * launch_.block * P : 0),
      products(ctx_, most * launch_.block * P), part(ctx_, workers > launch_.block ? most * P : 0);
  const Buffer<double> add(ctx_, std::vector<double>(static_cast<size_t>(most), -1.0));  // descend() subtracts
  for (int64_t k = 0; k < v.extent(0); k += most)
    for (int64_t first = 0; first < workers; first += launch_.block) {
      const int64_t n = std::min(most, v.extent(0) - k), w = std::min(launch_.block, workers - first);
      const Pairs pairs(*this, all, population_.lanes[lane], first, w, n);
      MatrixView<const T> directions = v.rows(k, n);
      if (w > 1) {
        const MatrixView<T> to = copies.view(n * w, P);
        group_mix<T>(ctx_, pairs.groups.table(), pairs.copies(), directions, to);
        directions = to;
      }
      const MatrixView<T> hv = products.view(n * w, P);
      model.hessian_vector(ctx_, pairs.rows, slot, MatrixView<const T>(x.data(), n * w, P, 0, ctx_.backend), directions,
                           hv);
      if (first == 0) {
        group_mean<T>(ctx_, pairs.groups.table(), hv, out.rows(k, n));
      } else {
        group_mean<T>(ctx_, pairs.groups.table(), hv, part.view(n, P));
        Rows each;
        each.count = n;
        each.learning_rate = add.view().part(0, n);
        descend<T>(ctx_, each, out.rows(k, n), part.view(n, P));
      }
    }
  ctx_.synchronize();
}

template <class T>
SymmetricProducts ObjectiveHessian<T>::at(Model<T>& model, const Rows& all, Slot slot, size_t lane,
                                          MatrixView<const T> x) const {
  const auto times_on_host = [this, &model, all, slot, lane, x](const std::vector<double>& v) {
    const auto m = static_cast<int64_t>(v.size()) / parameters_;
    const Buffer<T> directions(ctx_, std::vector<T>(v.begin(), v.end())), out(ctx_, m * parameters_);
    times(model, all, slot, lane, x, directions.view(m, parameters_), out.view(m, parameters_));
    const auto host = out.to_host(ctx_);
    return std::vector<double>(host.begin(), host.end());
  };
  return {parameters_, launch_.directions, times_on_host};
}

template class ObjectiveHessian<float>;
template class ObjectiveHessian<double>;

}  // namespace orrery
