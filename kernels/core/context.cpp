#include "kernels/core/context.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <fstream>
#include <thread>

#include "kernels/core/host_memory.hpp"

#ifdef ORRERY_WITH_CUDA
#include "kernels/core/buffer.hpp"
#include "kernels/core/check.hpp"
#endif

#ifdef ORRERY_OPENBLAS
extern "C" {
void openblas_set_num_threads(int);
char* openblas_get_corename(void);
}
#endif

namespace orrery {
namespace {

// Products run inside our own parallel loops, so the BLAS itself stays on one thread: then no bit depends on the number of threads.
void single_threaded_blas() {
#ifdef ORRERY_OPENBLAS
  openblas_set_num_threads(1);
#endif
}

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "CPU";
}

}  // namespace

Context::Context(Backend b, [[maybe_unused]] int ordinal, Products p) : backend(b), products(p) {
  single_threaded_blas();
  if (b == Backend::cpu) return;
#ifdef ORRERY_WITH_CUDA
  check(cudaSetDevice(ordinal));
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  check(cublasCreate(&cublas_));
  check(cublasSetStream(cublas_, stream_));
  // a workspace of our own: cuBLAS then allocates nothing while a graph is recorded, and one handle on one stream gives the same bits
  check(cudaMalloc(&cublas_workspace_, static_cast<size_t>(cublas_workspace_bytes)));
  detail::count_memory(Backend::cuda, cublas_workspace_bytes);
  check(cublasSetWorkspace(cublas_, cublas_workspace_, static_cast<size_t>(cublas_workspace_bytes)));
  // strict fp32: no TF32 behind the user's back; the other modes are asked for with each product
  check(cublasSetMathMode(cublas_, products == Products::full ? CUBLAS_PEDANTIC_MATH : CUBLAS_DEFAULT_MATH));
#else
  throw DeviceError("this program was built without CUDA; build the preset \"cuda\" or set device = \"cpu\"");
#endif
}

Context::~Context() {
#ifdef ORRERY_WITH_CUDA
  if (cublas_) cublasDestroy(cublas_);
  if (cublas_workspace_) {
    cudaFree(cublas_workspace_);
    detail::count_memory(Backend::cuda, -cublas_workspace_bytes);
  }
  if (stream_) cudaStreamDestroy(stream_);
#endif
}

void Context::synchronize() const {
#ifdef ORRERY_WITH_CUDA
  if (backend == Backend::cuda) check(cudaStreamSynchronize(stream_));
#endif
}

bool Context::capturing() const {
#ifdef ORRERY_WITH_CUDA
  if (backend == Backend::cuda) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(stream_, &status));
    return status == cudaStreamCaptureStatusActive;
  }
#endif
  return false;
}

bool cuda_available() {
#ifdef ORRERY_WITH_CUDA
  int n = 0;
  if (cudaGetDeviceCount(&n) == cudaSuccess && n > 0) return true;
  (void)cudaGetLastError();  // forget the error: no driver is an answer, not a failure
#endif
  return false;
}

DeviceInfo device_info(Backend b, [[maybe_unused]] int ordinal) {
  DeviceInfo info;
  info.backend = b;
  info.ordinal = ordinal;
  if (b == Backend::cpu) {
    info.name = cpu_model();
    const HostMemory memory = host_memory();
    info.memory_total = memory.total;
    info.memory_free = memory.free;
    info.units = static_cast<int>(std::thread::hardware_concurrency());
#ifdef ORRERY_OPENBLAS
    info.detail = fmt::format("OpenBLAS for {}", openblas_get_corename());
#else
    info.detail = "CBLAS";
#endif
    return info;
  }
#ifdef ORRERY_WITH_CUDA
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    (void)cudaGetLastError();
    count = 0;
  }
  if (ordinal < 0 || ordinal >= count)
    throw DeviceError(fmt::format("cuda:{}: no such GPU, {} answer{}; set device = \"cpu\" or see `orrery devices`",
                                  ordinal, count, count == 1 ? "s" : ""));
  cudaDeviceProp p{};
  check(cudaGetDeviceProperties(&p, ordinal));
  size_t free = 0, total = 0;
  check(cudaSetDevice(ordinal));
  check(cudaMemGetInfo(&free, &total));
  int driver = 0, runtime = 0;
  check(cudaDriverGetVersion(&driver));
  check(cudaRuntimeGetVersion(&runtime));
  info.name = p.name;
  info.memory_total = static_cast<int64_t>(total);
  info.memory_free = static_cast<int64_t>(free);
  info.units = p.multiProcessorCount;
  info.detail = fmt::format("compute capability {}.{}, driver {}.{}, runtime {}.{}", p.major, p.minor, driver / 1000,
                            driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10);
  return info;
#else
  throw DeviceError("this program was built without CUDA; build the preset \"cuda\" or set device = \"cpu\"");
#endif
}

std::vector<DeviceInfo> devices() {
  std::vector<DeviceInfo> all{device_info(Backend::cpu)};
#ifdef ORRERY_WITH_CUDA
  int n = 0;
  if (cuda_available()) check(cudaGetDeviceCount(&n));
  for (int i = 0; i < n; ++i) all.push_back(device_info(Backend::cuda, i));
#endif
  return all;
}

void set_threads(int n) { omp_set_num_threads(n); }
int threads() { return omp_get_max_threads(); }

}  // namespace orrery
