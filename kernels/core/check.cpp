#include "kernels/core/check.hpp"

#include <fmt/format.h>

#include <string_view>

#include "kernels/core/error.hpp"
#ifdef ORRERY_EMULATED
#include "emulation.hpp"
#endif

namespace orrery {
namespace {

std::string place(const std::source_location& at) {
  std::string_view file = at.file_name();
  if (const auto slash = file.rfind('/'); slash != std::string_view::npos) file.remove_prefix(slash + 1);
  return fmt::format("{}:{}", file, at.line());
}

}  // namespace

void check(cudaError_t status, std::source_location at) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // so that the next launch is not blamed
  std::string more;
#ifdef ORRERY_EMULATED
  more = emulation::last_report();
  if (!more.empty()) more = " (" + more + ")";
#endif
  const char* remedy = status == cudaErrorMemoryAllocation
                           ? "lower network.workers or replicas"
                           : "look at the device with `orrery devices`, or set device = \"cpu\"";
  throw DeviceError(fmt::format("CUDA call at {}: {}{}; {}", place(at), cudaGetErrorString(status), more, remedy));
}

void check(cublasStatus_t status, std::source_location at) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw DeviceError(
      fmt::format("cuBLAS call at {}: {}; look at the device with `orrery devices`, or set device = \"cpu\"", place(at),
                  cublasGetStatusString(status)));
}

void check_launch([[maybe_unused]] cudaStream_t stream, std::source_location at) {
  check(cudaGetLastError(), at);
#ifndef NDEBUG
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &capture), at);
  if (capture == cudaStreamCaptureStatusNone) check(cudaStreamSynchronize(stream), at);
#endif
}

}  // namespace orrery
