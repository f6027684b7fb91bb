// Where work runs: a backend, and on CUDA its stream and cuBLAS handle. Passed by reference to every kernel.
// One owner; never copied. All work of a context is ordered: kernels on the CPU are done when they return, on CUDA when synchronize() does.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/core/backend.hpp"

struct CUstream_st;
struct cublasContext;

namespace orrery {

// How products of fp32 matrices are computed on CUDA. Storage and sums stay fp32; tf32 and bf16 round the factors to 10 and 7 explicit
// bits of mantissa on their way into the tensor cores. The CPU and fp64 always compute in full.
enum class Products { full, tf32, bf16 };

// On CUDA a context holds a workspace for cuBLAS: what NVIDIA's manual advises for sm_90; 4 MiB would do below.
constexpr int64_t cublas_workspace_bytes = int64_t{32} << 20;

class Context {
 public:
  // Backend::cuda: device `ordinal`. Throws DeviceError where it does not answer.
  explicit Context(Backend backend = Backend::cpu, int ordinal = 0, Products products = Products::full);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  const Backend backend;
  const Products products;
  CUstream_st* stream() const { return stream_; }
  cublasContext* cublas() const { return cublas_; }
  void synchronize() const;
  bool capturing() const;  // a CUDA graph is being recorded: no allocation, no synchronisation now

 private:
  CUstream_st* stream_ = nullptr;
  cublasContext* cublas_ = nullptr;
  void* cublas_workspace_ = nullptr;
};

struct DeviceInfo {
  Backend backend = Backend::cpu;
  int ordinal = 0;
  std::string name;
  int64_t memory_total = 0, memory_free = 0;  // bytes
  int units = 0;                              // threads (CPU) or multiprocessors
  std::string detail;                         // BLAS, or compute capability, driver and runtime version
};
std::vector<DeviceInfo> devices();  // the CPU first
DeviceInfo device_info(Backend backend, int ordinal = 0);
bool cuda_available();  // built with CUDA and a device answers

void set_threads(int n);  // bounds the CPU threads; the result of no kernel depends on it
int threads();

}  // namespace orrery
