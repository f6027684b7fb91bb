// How work reaches the emulated device: at once, or recorded while the stream captures a graph.
#pragma once

#include <functional>
#include <string>

#include "cuda_runtime_api.h"

namespace orrery::emulation {

cudaError_t submit(cudaStream_t stream, std::function<cudaError_t()> work);

// `body` runs one thread of the kernel and holds its arguments by value.
cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> body);

// Sets the last error and its report.
cudaError_t fail(cudaError_t code, std::string report);

// True if [p, p + bytes) lies inside one live allocation of the device; otherwise says so in the report.
bool device_range(const void* p, size_t bytes, const char* what);

}  // namespace orrery::emulation
