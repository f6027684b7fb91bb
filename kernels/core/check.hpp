// Every CUDA and cuBLAS call goes through check(). Only included where ORRERY_WITH_CUDA is defined.
#pragma once

#include <cublas_v2.h>
#include <cuda_runtime.h>

#include <source_location>

namespace orrery {

void check(cudaError_t status, std::source_location at = std::source_location::current());     // throws DeviceError
void check(cublasStatus_t status, std::source_location at = std::source_location::current());  // throws DeviceError

// After a launch. Debug builds wait for the kernel, so that the right one is blamed (not while a graph is being captured).
void check_launch(cudaStream_t stream, std::source_location at = std::source_location::current());

}  // namespace orrery
