// Errors: the last one of each OS thread, its report in words, and CUDA's names for the codes.
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "internal.hpp"

namespace orrery::emulation {
namespace {

thread_local cudaError_t last_error = cudaSuccess;
thread_local std::string report;
std::atomic<bool> quiet{false};

struct ErrorText {
  cudaError_t code;
  const char *name, *words;
};
constexpr ErrorText kErrors[] = {
#define ORRERY_EMULATION_ERROR(name, words) \
  { name, #name, words }
    ORRERY_EMULATION_ERROR(cudaSuccess, "no error"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidValue, "invalid argument"),
    ORRERY_EMULATION_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    ORRERY_EMULATION_ERROR(cudaErrorInitializationError, "initialization error"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidPitchValue, "invalid pitch argument"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidSymbol, "invalid device symbol"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidDevicePointer, "invalid device pointer"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    ORRERY_EMULATION_ERROR(cudaErrorInsufficientDriver, "CUDA driver version is insufficient for CUDA runtime version"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    ORRERY_EMULATION_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    ORRERY_EMULATION_ERROR(cudaErrorNotReady, "device not ready"),
    ORRERY_EMULATION_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    ORRERY_EMULATION_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    ORRERY_EMULATION_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    ORRERY_EMULATION_ERROR(cudaErrorCooperativeLaunchTooLarge, "too many blocks in cooperative launch"),
    ORRERY_EMULATION_ERROR(cudaErrorNotSupported, "operation not supported"),
    ORRERY_EMULATION_ERROR(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    ORRERY_EMULATION_ERROR(cudaErrorStreamCaptureInvalidated,
                           "operation failed due to a previous error during capture"),
    ORRERY_EMULATION_ERROR(cudaErrorStreamCaptureMerge,
                           "operation would result in a merge of separate capture sequences"),
    ORRERY_EMULATION_ERROR(cudaErrorStreamCaptureUnmatched, "capture was not ended in the same stream as it began"),
    ORRERY_EMULATION_ERROR(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    ORRERY_EMULATION_ERROR(cudaErrorStreamCaptureImplicit,
                           "operation would make the legacy stream depend on a capturing blocking stream"),
    ORRERY_EMULATION_ERROR(cudaErrorCapturedEvent,
                           "operation not permitted on an event last recorded in a capturing stream"),
    ORRERY_EMULATION_ERROR(cudaErrorStreamCaptureWrongThread,
                           "attempt to terminate a thread-local capture sequence from another thread"),
    ORRERY_EMULATION_ERROR(cudaErrorInvalidClusterSize, "cluster misconfiguration"),
    ORRERY_EMULATION_ERROR(cudaErrorUnknown, "unknown error"),
#undef ORRERY_EMULATION_ERROR
};
const ErrorText* find(cudaError_t code) {
  for (const ErrorText& e : kErrors)
    if (e.code == code) return &e;
  return nullptr;
}

}  // namespace

cudaError_t fail(cudaError_t code, std::string words) {
  last_error = code;
  report = std::move(words);
  if (!quiet) std::fprintf(stderr, "orrery emulation: %s: %s\n", cudaGetErrorName(code), report.c_str());
  return code;
}
const std::string& last_report() { return report; }
void clear_report() { report.clear(); }
void set_quiet(bool q) { quiet = q; }

}  // namespace orrery::emulation

const char* cudaGetErrorName(cudaError_t error) {
  const auto* e = orrery::emulation::find(error);
  return e ? e->name : "unrecognized error code";
}
const char* cudaGetErrorString(cudaError_t error) {
  const auto* e = orrery::emulation::find(error);
  return e ? e->words : "unrecognized error code";
}
cudaError_t cudaGetLastError() { return std::exchange(orrery::emulation::last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return orrery::emulation::last_error; }
