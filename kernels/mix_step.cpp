#include "kernels/mix_step.hpp"

#include <algorithm>

namespace orrery {
namespace {

// The table on the host, checked.
struct Links {
  std::vector<int64_t> begin, source;
  std::vector<double> weight;

  Links(const Context& ctx, const MixTable& t, int64_t nodes) {
    expects(t.begin.where() == ctx.backend && t.source.where() == ctx.backend && t.weight.where() == ctx.backend,
            "the table on the context's side");
    expects(nodes > 0 && t.begin.size() > 0 && (t.begin.size() - 1) % nodes == 0, "a table of whole replicas");
    expects(t.source.size() == t.weight.size(), "one weight for every source");
    begin = to_host(ctx, t.begin);
    source = to_host(ctx, t.source);
    weight = to_host(ctx, t.weight);
    expects(begin.front() == 0 && begin.back() == t.source.size() && std::is_sorted(begin.begin(), begin.end()),
            "columns that cover the sources in order");
    for (size_t k = 0; k + 1 < begin.size(); ++k)
      for (int64_t e = begin[k]; e < begin[k + 1]; ++e)
        expects(source[static_cast<size_t>(e)] >= 0 &&
                    source[static_cast<size_t>(e)] / nodes == static_cast<int64_t>(k) / nodes,
                "sources among the nodes of their own replica");
  }

  // The matrices of all replicas, or, where all are the same, the first alone.
  template <class T>
  std::vector<T> matrix(int64_t nodes) const {
    const auto size = static_cast<size_t>(nodes * nodes), count = begin.size() / static_cast<size_t>(nodes);
    std::vector<T> m(size * count);
    std::vector<double> row(static_cast<size_t>(nodes));
    for (size_t k = 0; k + 1 < begin.size(); ++k) {
      std::fill(row.begin(), row.end(), 0.0);
      for (auto e = static_cast<size_t>(begin[k]); e < static_cast<size_t>(begin[k + 1]); ++e)
        row[static_cast<size_t>(source[e] % nodes)] += weight[e];
      std::transform(row.begin(), row.end(), m.begin() + static_cast<int64_t>(k) * nodes,
                     [](double a) { return static_cast<T>(a); });
    }
    bool same = true;
    for (size_t i = 1; i < count && same; ++i)
      same = std::equal(m.begin(), m.begin() + static_cast<int64_t>(size), m.begin() + static_cast<int64_t>(i * size));
    if (same) m.resize(std::min(size, m.size()));
    return m;
  }
};

}  // namespace

bool mixes_dense(MixPath path, Products products, int64_t nodes, int64_t replicas, int64_t links) {
  if (path != MixPath::by_cost) return path == MixPath::dense;
  constexpr int64_t fewest_nodes = 32, entries_per_link = 2;
  return nodes >= fewest_nodes && products == Products::full && links * entries_per_link >= nodes * nodes * replicas &&
         replicas > 0;
}

template <class T>
MixPlan<T>::MixPlan(const Context& ctx, const MixTable& table, int64_t nodes, int64_t columns, MixPath path)
    : nodes_(nodes), columns_(columns), table_(table) {
  expects(columns >= 0, "a number of columns");
  const Links host(ctx, table, nodes);
  replicas_ = (table.begin.size() - 1) / nodes;
  const bool dense = mixes_dense(path, ctx.products, nodes, replicas_, links());
  if (dense) matrix_ = Buffer<T>(ctx, host.matrix<T>(nodes));
  if (replicas_ == 0 || columns == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() {
    strip_ = std::min(detail::mix_strip_impl<T, B>(nodes, dense), columns);
    if (dense || strip_ == 0) held_columns_ = detail::mix_held_impl<T, B>(nodes * replicas_, columns);
  });
  held_ = Buffer<T>(ctx, nodes * replicas_ * held_columns_);
}

template <class T>
void mix_step(const Context& ctx, const MixPlan<T>& plan, MixForm form, VectorView<const double> eta,
              MatrixView<const T> g, MatrixView<T> w) {
  const int64_t rows = plan.nodes() * plan.replicas();
  expects(w.extent(0) == rows && w.extent(1) == plan.columns(),
          "w of shape (replicas * W, P), as the plan was made for");
  expects(w.where() == ctx.backend && plan.table().begin.where() == ctx.backend,
          "w and the plan on the context's side");
  if (form != MixForm::combine) {
    expects(g.extent(0) == rows && g.extent(1) == plan.columns(), "g of shape (replicas * W, P)");
    expects(eta.size() == rows, "a learning rate for every row");
    expects(g.where() == ctx.backend && eta.where() == ctx.backend, "g and the learning rates on the context's side");
    expects(w.size() == 0 || g.data() != w.data(), "g apart from w");
  }
  if (w.size() == 0) return;
  dispatch(ctx.backend, [&]<Backend B>() { detail::mix_step_impl<T, B>(ctx, plan, form, eta, g, w); });
}

#define ORRERY_INSTANTIATE(T)                                                                                          \
  template class MixPlan<T>;                                                                                           \
  template void mix_step<T>(const Context&, const MixPlan<T>&, MixForm, VectorView<const double>, MatrixView<const T>, \
                            MatrixView<T>);
ORRERY_INSTANTIATE(float)
ORRERY_INSTANTIATE(double)

}  // namespace orrery
