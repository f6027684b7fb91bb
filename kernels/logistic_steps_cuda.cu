#include "kernels/core/launch.cuh"
#include "kernels/logistic_inline.cuh"
#include "kernels/logistic_steps.hpp"

namespace orrery::detail {
namespace {

constexpr unsigned threads = 128;             // fixed: the order of the bias' sum depends on it
constexpr size_t resident_bytes = 32 * 1024;  // parameters of a dense row that stay in shared memory for all steps

// What the threads of a block share: the batch of one row. delta and drawn are the block's own places in the workspace.
template <class T>
struct BlockBatch {
  const LogisticView& model;
  T* delta;
  int32_t* drawn;
  int64_t size, d;

  // delta_k = scale * (sigmoid(z_k) - y_k), or, with a direction v, scale * sigmoid'(z_k) * (v_w.x_k + v_b): one warp per sample.
  // The caller's writes to w and v lie behind a barrier; so do, for the caller, the deltas.
  __device__ void forward(const Rows& rows, int64_t r, Step t, const T* w, const T* v, T scale) const {
    for (int64_t k = threadIdx.x / 32; k < size; k += blockDim.x / 32) {
      const int64_t s = rows.sample(r, t, k);
      const T z = warp_dot(model.samples, s, w) + (model.bias ? w[d] : T{0});
      const T along = v ? warp_dot(model.samples, s, v) + (model.bias ? v[d] : T{0}) : T{0};
      if (threadIdx.x % 32 == 0) {
        delta[k] = scale * (v ? logistic_curvature(z) * along : logistic_delta(z, model.one(s)));
        drawn[k] = static_cast<int32_t>(s);
      }
    }
    __syncthreads();
  }

  // out <- keep * out + decay * point (weights only) + sum_k delta_k (x_k, 1), in order of k; ends with a barrier
  __device__ void accumulate(T* out, T keep, T decay, const T* point) const {
    const SampleView& samples = model.samples;
    const auto begin_with = [&](int64_t j) {
      T value = keep == T{0} ? T{0} : keep * out[j];
      if (j < d && decay != T{0}) value += decay * point[j];
      return value;
    };
    if (!samples.sparse()) {  // a thread owns its features
      for (int64_t j = threadIdx.x; j < d; j += blockDim.x) {
        T value = begin_with(j);
        for (int64_t k = 0; k < size; ++k) value += delta[k] * feature<T>(samples, drawn[k], j);
        out[j] = value;
      }
    } else {  // the block goes from sample to sample, so that a feature's terms arrive in order
      if (keep != T{1} || decay != T{0})
        for (int64_t j = threadIdx.x; j < d; j += blockDim.x) out[j] = begin_with(j);
      for (int64_t k = 0; k < size; ++k) {
        __syncthreads();
        const int64_t s = drawn[k];
        for (int64_t i = samples.rows.begin[s] + threadIdx.x; i < samples.rows.begin[s + 1]; i += blockDim.x)
          out[samples.rows.column[i]] += delta[k] * scaled(samples, static_cast<T>(samples.rows.value[i]));
      }
    }
    if (model.bias) {
      T sum{0};
      for (int64_t k = threadIdx.x; k < size; k += blockDim.x) sum += delta[k];
      sum = block_sum(sum);
      if (threadIdx.x == 0) out[d] = begin_with(d) + sum;
    }
    __syncthreads();
  }
};

// Grid: one block per row (strided); it takes the row through all its steps.
template <class T>
__global__ void logistic_steps_kernel(LogisticView model, Rows rows, Slot slot, int64_t steps, MatrixView<T> w_all,
                                      T mu, MatrixView<T> velocity, T* delta, int32_t* drawn, int64_t places,
                                      bool resident) {
  ORRERY_DYNAMIC_SHARED(T, on_chip);
  const int64_t t = slot.at().slot, parameters = model.parameters();
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    const BlockBatch<T> batch{model, delta + blockIdx.x * places, drawn + blockIdx.x * places, rows.batch_size(r),
                              model.weights()};
    T* v = velocity.size() > 0 ? velocity.row(r) : nullptr;
    T* w = resident ? on_chip : w_all.row(r);
    if (resident) {
      for (int64_t j = threadIdx.x; j < parameters; j += blockDim.x) w[j] = w_all(r, j);
      __syncthreads();
    }
    const double eta = rows.learning_rate[r], inverse = 1.0 / static_cast<double>(batch.size);
    for (int64_t s = 0; s < steps; ++s) {
      if (!rows.active(r, t + s)) continue;
      for (int32_t k = 0; k < rows.repeats_of(r); ++k) {
        batch.forward(rows, r, {t + s, k}, w, nullptr, static_cast<T>(v ? inverse : -eta * inverse));
        if (!v) {
          batch.accumulate(w, T{1}, static_cast<T>(-eta * model.l2), w);
          continue;
        }
        batch.accumulate(v, mu, static_cast<T>(model.l2), w);
        for (int64_t j = threadIdx.x; j < parameters; j += blockDim.x) w[j] -= static_cast<T>(eta) * v[j];
        __syncthreads();
      }
    }
    if (resident) {
      for (int64_t j = threadIdx.x; j < parameters; j += blockDim.x) w_all(r, j) = w[j];
      __syncthreads();
    }
  }
}

// Grid: one block per row (strided). Gradients where v is empty, else Hessian products.
template <class T>
__global__ void logistic_derivative_kernel(LogisticView model, Rows rows, Slot slot, MatrixView<const T> w,
                                           MatrixView<const T> v, MatrixView<T> out, T* delta, int32_t* drawn,
                                           int64_t places) {
  const Step t = slot.at();
  for (int64_t r = blockIdx.x; r < rows.count; r += gridDim.x) {
    if (!rows.active(r, t)) {
      for (int64_t j = threadIdx.x; j < out.extent(1); j += blockDim.x) out(r, j) = T{0};
      continue;
    }
    const BlockBatch<T> batch{model, delta + blockIdx.x * places, drawn + blockIdx.x * places, rows.batch_size(r),
                              model.weights()};
    const T* direction = v.size() > 0 ? v.row(r) : nullptr;
    batch.forward(rows, r, t, w.row(r), direction, static_cast<T>(1.0 / static_cast<double>(batch.size)));
    batch.accumulate(out.row(r), T{0}, static_cast<T>(model.l2), direction ? direction : w.row(r));
  }
}

template <class T>
dim3 grid_for(const Rows& rows, const LogisticWorkspace<T>& space) {
  return dim3(static_cast<unsigned>(rows.count < space.blocks ? rows.count : space.blocks));
}

}  // namespace

template <class T, Backend B>
void logistic_steps_impl(const Context& ctx, const LogisticView& model, const Rows& rows, Slot slot, int64_t steps,
                         MatrixView<T> w, LogisticWorkspace<T>& space, const Momentum<T>& m) {
  const size_t bytes = static_cast<size_t>(model.parameters()) * sizeof(T);
  const bool resident = !model.samples.sparse() && bytes <= resident_bytes;
  launch(logistic_steps_kernel<T>, grid_for(rows, space), dim3(threads), resident ? bytes : 0, ctx.stream(), model,
         rows, slot, steps, w, static_cast<T>(m.mu), m.velocity, space.delta.data(), space.drawn.data(),
         space.max_batch, resident);
}

template <class T, Backend B>
void logistic_derivative_impl(const Context& ctx, const LogisticView& model, const Rows& rows, Slot slot,
                              MatrixView<const T> w, MatrixView<const T> v, MatrixView<T> out,
                              LogisticWorkspace<T>& space) {
  launch(logistic_derivative_kernel<T>, grid_for(rows, space), dim3(threads), 0, ctx.stream(), model, rows, slot, w, v,
         out, space.delta.data(), space.drawn.data(), space.max_batch);
}

#define ORRERY_INSTANTIATE(T)                                                                                          \
  template void logistic_steps_impl<T, Backend::cuda>(const Context&, const LogisticView&, const Rows&, Slot, int64_t, \
                                                      MatrixView<T>, LogisticWorkspace<T>&, const Momentum<T>&);       \
  template void logistic_derivative_impl<T, Backend::cuda>(const Context&, const LogisticView&, const Rows&, Slot,     \
                                                           MatrixView<const T>, MatrixView<const T>, MatrixView<T>,    \
                                                           LogisticWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
