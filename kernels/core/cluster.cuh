// Thread-block clusters (sm_90 and later): blocks that run at the same time, wait for each other and see each other's
// shared memory. Started by launch_cluster. In a plain launch, and on older devices, a cluster is one block.
//
//   cluster_map(p, rank)   the address, in the block `rank` of the cluster, of what the shared pointer p is here
//
// A block must not return while others may read its shared memory: end with cluster_sync().
#pragma once

#include "kernels/core/launch.cuh"

#if !defined(ORRERY_EMULATED)
#include <cooperative_groups.h>
#endif

namespace orrery {

#if defined(ORRERY_EMULATED)

inline unsigned cluster_rank() { return emulation::cluster_rank(); }
inline unsigned cluster_size() { return emulation::cluster_size(); }
inline void cluster_sync(std::source_location at = std::source_location::current()) { emulation::cluster_barrier(at); }
template <class T>
T* cluster_map(T* shared_pointer, unsigned rank) {
  return static_cast<T*>(emulation::cluster_map(shared_pointer, rank));
}

#else

__device__ __forceinline__ unsigned cluster_rank() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  return cooperative_groups::this_cluster().block_rank();
#else
  return 0;
#endif
}
__device__ __forceinline__ unsigned cluster_size() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  return cooperative_groups::this_cluster().num_blocks();
#else
  return 1;
#endif
}
__device__ __forceinline__ void cluster_sync() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  cooperative_groups::this_cluster().sync();
#else
  __syncthreads();
#endif
}
template <class T>
__device__ __forceinline__ T* cluster_map(T* shared_pointer, unsigned rank) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  return cooperative_groups::this_cluster().map_shared_rank(shared_pointer, rank);
#else
  return rank == 0 ? shared_pointer : nullptr;
#endif
}

#endif

}  // namespace orrery
