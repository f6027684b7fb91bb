// One step of decentralised learning: the workers' models mixed over a graph together with the gradient step, in place.
//
//   consensus   w_k <- sum_l a_lk w_l - eta_k g_k            the gradient was taken at the old own model
//   diffusion   w_k <- sum_l a_lk (w_l - eta_l g_l)          adapt then combine (ATC)
//   combine     w_k <- sum_l a_lk w_l                        combine, then adapt (CTA): the gradient is taken at the result
//
// Source   Cao, Wu, Yuan, Sayed, On the Trade-off between Flatness and Optimization in Distributed Learning (2025), arXiv 2406.20006.
// Shapes   w, g (replicas * W, P) of any stride, not overlapping; row r is node r of the table; eta float64 (replicas * W); the weights a of
//          any sign, used in T. g may be any direction, a velocity too. combine reads neither g nor eta.
// Paths    sparse: a strip of columns of all W rows of a replica is held on the side, so that w crosses memory twice and g once, whatever the
//          degrees. CPU: in the second-level cache, the rows of the next strip coming in while one is mixed. CUDA: in shared memory, or, where W
//          rows of 32 bytes do not fit there, in a buffer for a block of columns.
//          Terms are added in the order of the sources, from 0; then eta g is subtracted.
//          dense: the strips times the whole matrix by GEMM.
//          by_cost: dense where W >= 32 and links >= W * W / 2, on average over the replicas: a link costs the sparse path 2 to 3 times what an
//          entry costs a GEMM, as measured on a CPU from W = 16 to 1024 in fp32 and fp64. Never where Context::products rounds factors: that
//          would round the models.
// Result   sparse: the same bits for any strip, grid, number of threads, rows beside and number of shards of whole replicas.
//          dense: CPU the same bits for any number of threads and replicas beside; CUDA as batched_gemm: same bits run to run.
// Cost     sparse: 3 elements of traffic per parameter (combine: 2) and 2 flop per link and column: memory bound for small degrees.
//          dense: 2 W flop per parameter. Making a plan reads the table back and allocates: a matrix (W, W), where dense, for all replicas or, if
//          theirs differ, for each; on CUDA a buffer of about 8 MiB, where rows go through one. A step allocates two strips per thread on the
//          CPU, nothing on CUDA.
#pragma once

#include "kernels/core/buffer.hpp"
#include "kernels/group_mean.hpp"

namespace orrery {

enum class MixForm { consensus, diffusion, combine };
enum class MixPath { by_cost, sparse, dense };

// The choice of `path` for a table of so many links in all.
bool mixes_dense(MixPath path, Products, int64_t nodes, int64_t replicas, int64_t links);

// What steps over one graph need; time-varying graphs have one plan per phase. The table's arrays must outlive it.
template <class T>
class MixPlan {
 public:
  // Nodes of replica i are i * nodes ... (i + 1) * nodes - 1, and so are their sources; a source may be named twice. Throws std::logic_error
  // where the table says otherwise.
  MixPlan(const Context&, const MixTable&, int64_t nodes, int64_t columns, MixPath = MixPath::by_cost);

  bool dense() const { return matrix_.size() > 0; }
  int64_t nodes() const { return nodes_; }
  int64_t replicas() const { return replicas_; }
  int64_t columns() const { return columns_; }
  int64_t links() const { return table_.source.size(); }
  const MixTable& table() const { return table_; }

  // ---- what the backends work with
  int64_t strip() const { return strip_; }  // columns that are mixed at once; 0: they go through held()
  MatrixView<T> held() const {              // (rows, columns of a block): CUDA only
    return held_.view(nodes_ * replicas_, held_columns_);
  }
  const T* matrix() const { return matrix_.data(); }  // (W, W) per replica, row = destination
  int64_t matrix_stride() const { return matrix_.size() > nodes_ * nodes_ ? nodes_ * nodes_ : 0; }  // 0: shared

 private:
  int64_t nodes_ = 0, replicas_ = 0, columns_ = 0, strip_ = 0, held_columns_ = 0;
  MixTable table_;
  Buffer<T> held_, matrix_;
};

template <class T>
void mix_step(const Context&, const MixPlan<T>&, MixForm, VectorView<const double> eta, MatrixView<const T> g,
              MatrixView<T> w);

namespace detail {
// Columns of a strip for W rows; 0: none fits. Of a block in the second buffer; 0: the backend needs none.
template <class T, Backend B>
int64_t mix_strip_impl(int64_t nodes, bool dense);
template <class T, Backend B>
int64_t mix_held_impl(int64_t rows, int64_t columns);
template <class T, Backend B>
void mix_step_impl(const Context&, const MixPlan<T>&, MixForm, VectorView<const double> eta, MatrixView<const T> g,
                   MatrixView<T> w);
}  // namespace detail

}  // namespace orrery
