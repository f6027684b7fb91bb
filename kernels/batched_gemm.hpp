// Many small products at once, row-major.
//
//   C_r <- alpha * op(A_r) * op(B_r) + beta * C_r        r = 0 .. count-1
//
// Shapes   op(A_r) (m,k), op(B_r) (k,n), C_r (m,n); operand r begins at data + r * stride and has rows `ld` elements apart.
//          stride 0 shares one operand among all r; with a shared op(B) and dense A the product is one large one.
// Result   CPU: one BLAS call per r on one thread: same bits for any number of threads and of neighbours.
//          CUDA: cuBLAS strided-batched, fp32 factors rounded as Context::products says (error per term: 2^-11 tf32, 2^-8 bf16, each factor), which may choose its algorithm by `count`: same bits run to run.
// Cost     2 m n k flop and (mk + kn + (1 or 2) mn) elements of traffic per r.
#pragma once

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

template <class T>
struct Operand {
  T* data = nullptr;
  int64_t ld = 0;      // elements between rows
  int64_t stride = 0;  // elements between operands
  bool transposed = false;
};

template <class T>
void batched_gemm(const Context&, int64_t m, int64_t n, int64_t k, T alpha, Operand<const T> a, Operand<const T> b,
                  T beta, Operand<T> c, int64_t count);

namespace detail {
template <class T, Backend B>
void batched_gemm_impl(const Context&, int64_t m, int64_t n, int64_t k, T alpha, Operand<const T> a, Operand<const T> b,
                       T beta, Operand<T> c, int64_t count);
// One product on the calling thread, for the CPU kernels that loop over workers themselves.
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
          const float* b, int64_t ldb, float beta, float* c, int64_t ldc);
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, double alpha, const double* a,
          int64_t lda, const double* b, int64_t ldb, double beta, double* c, int64_t ldc);
}  // namespace detail

}  // namespace orrery
