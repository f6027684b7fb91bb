#include "kernels/scores.hpp"

#include <utility>

#include "kernels/core/buffer.hpp"
#include "kernels/distances.hpp"

namespace orrery::detail {

template <class T>
void check_scores(const Context& ctx, MatrixView<const T> w, int64_t parameters, int64_t n, MatrixView<const double> u,
                  const std::vector<int64_t>& row_of_model) {
  expects(w.extent(1) == parameters && w.where() == ctx.backend, "models of shape (M, P) on the context's side");
  expects(u.extent(0) == 0 || (u.extent(1) == n && row_of_model.size() == static_cast<size_t>(w.extent(0))),
          "a row of sample weights for every model");
}

template <class T>
void add_penalty(const Context& ctx, double l2, MatrixView<const T> weights, Scores& scores) {
  if (l2 == 0) return;
  Buffer<double> norms(ctx, weights.extent(0));
  row_distances<T>(ctx, weights, {}, {}, norms.view());
  const auto host = norms.to_host(ctx);
  for (size_t m = 0; m < host.size(); ++m) scores.loss[m] += 0.5 * l2 * host[m];
}

void append_sums(const Context& ctx, MatrixView<const double> loss, MatrixView<const double> hits,
                 VectorView<double> sums, Scores& scores) {
  for (auto [values, out] : {std::pair{loss, &scores.loss}, std::pair{hits, &scores.hits}}) {
    segment_sums(ctx, values, sums);
    const auto host = to_host(ctx, sums);
    out->insert(out->end(), host.begin(), host.end());
  }
}

#define ORRERY_INSTANTIATE(T)                                                                                    \
  template void check_scores<T>(const Context&, MatrixView<const T>, int64_t, int64_t, MatrixView<const double>, \
                                const std::vector<int64_t>&);                                                    \
  template void add_penalty<T>(const Context&, double, MatrixView<const T>, Scores&);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery::detail
