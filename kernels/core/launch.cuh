// The one way to start a kernel, and the one way to declare shared memory. The same source is compiled by nvcc for a
// GPU and, with ORRERY_EMULATED, by the host compiler for the emulation in tests/emulation/.
//
//   launch(kernel, grid, block, dynamic_shared_bytes, stream, arguments...)
//   launch_cluster(kernel, grid, block, cluster, dynamic_shared_bytes, stream, arguments...)   sm_90 and later
//
// Arguments are converted to the kernel's parameter types. Throws DeviceError where CUDA refuses the launch. More than
// 48 KB of dynamic shared memory needs allow_shared(kernel, bytes) first; no kernel may use more than 227 KB.
#pragma once

#include <cuda_runtime.h>

#include <utility>

#include "kernels/core/check.hpp"

// ORRERY_SHARED(type, name, count) declares an array that the whole block sees; ORRERY_DYNAMIC_SHARED(type, name) a
// pointer to the block's dynamic part. Both are 16-byte aligned and hold anything at block start.
#if defined(ORRERY_EMULATED)
#define ORRERY_SHARED(type, name, ...)                              \
  static ::orrery::emulation::SharedSite orrery_site_##name{#name}; \
  auto& name = *static_cast<type(*)[__VA_ARGS__]>(                  \
      ::orrery::emulation::shared_array(orrery_site_##name, sizeof(type[__VA_ARGS__]), alignof(type)))
#define ORRERY_DYNAMIC_SHARED(type, name) type* const name = static_cast<type*>(::orrery::emulation::dynamic_shared())
#else
#define ORRERY_SHARED(type, name, ...) __shared__ alignas(16) type name[__VA_ARGS__]
#define ORRERY_DYNAMIC_SHARED(type, name)                                      \
  extern __shared__ __align__(16) unsigned char orrery_dynamic_shared_bytes[]; \
  type* const name = reinterpret_cast<type*>(orrery_dynamic_shared_bytes)
#endif

namespace orrery {

namespace detail {
template <class... P, class... A>
void launch_with(void (*kernel)(P...), const cudaLaunchConfig_t& config, A&&... arguments) {
  const cudaError_t status = cudaLaunchKernelEx(&config, kernel, std::forward<A>(arguments)...);
  const cudaError_t last = cudaGetLastError();  // also clears it, so that the next launch is not blamed
  check(status != cudaSuccess ? status : last);
  check_launch(config.stream);  // debug builds wait, so that the right kernel is blamed
}
}  // namespace detail

template <class... P, class... A>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t dynamic_shared_bytes, cudaStream_t stream,
            A&&... arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = dynamic_shared_bytes;
  config.stream = stream;
  detail::launch_with(kernel, config, std::forward<A>(arguments)...);
}

// The blocks of a cluster run at the same time and may read each other's shared memory (cluster.cuh).
template <class... P, class... A>
void launch_cluster(void (*kernel)(P...), dim3 grid, dim3 block, dim3 cluster, size_t dynamic_shared_bytes,
                    cudaStream_t stream, A&&... arguments) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = cluster.x;
  attribute.val.clusterDim.y = cluster.y;
  attribute.val.clusterDim.z = cluster.z;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = dynamic_shared_bytes;
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = 1;
  detail::launch_with(kernel, config, std::forward<A>(arguments)...);
}

// Lets a kernel ask for up to `bytes` of dynamic shared memory.
template <class... P>
void allow_shared(void (*kernel)(P...), size_t bytes) {
  const cudaError_t status =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  cudaGetLastError();  // as above
  check(status);
}

}  // namespace orrery
