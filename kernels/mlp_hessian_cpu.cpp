#include <omp.h>

#include <vector>

#include "kernels/mlp_hessian.hpp"
#include "kernels/mlp_tangent_batch.hpp"

namespace orrery::detail {

template <class T, Backend B>
void mlp_hessian_impl(const Context&, const MlpView& model, const Rows& rows, Slot slot, MatrixView<const T> w,
                      MatrixView<const T> v, MatrixView<T> out, MlpWorkspace<T>&) {
  const Step t = slot.at();
  auto batches = rooms<MlpTangentBatch<T>>(model, rows);
#pragma omp parallel num_threads(static_cast <int>(batches.size()))
  {
    MlpTangentBatch<T>& batch = batches[static_cast<size_t>(omp_get_thread_num())];
#pragma omp for schedule(dynamic)
    for (int64_t r = 0; r < rows.count; ++r) {
      std::fill(out.row(r), out.row(r) + out.extent(1), T{0});
      if (!rows.active(r, t)) continue;
      add_decay_of_weights(model, out.row(r), static_cast<T>(model.l2), v.row(r));
      const T inverse = static_cast<T>(coefficient(rows, r, Fold::gradient));
      for_pieces(batch, rows, r, t, [&] {
        batch.forward(w.row(r), v.row(r));
        batch.backward(w.row(r), v.row(r), out.row(r), inverse);
      });
    }
  }
}

#define ORRERY_INSTANTIATE(T)                                                                              \
  template void mlp_hessian_impl<T, Backend::cpu>(const Context&, const MlpView&, const Rows&, Slot,       \
                                                  MatrixView<const T>, MatrixView<const T>, MatrixView<T>, \
                                                  MlpWorkspace<T>&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
