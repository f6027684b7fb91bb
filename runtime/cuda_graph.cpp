#include "runtime/cuda_graph.hpp"

#include "kernels/core/error.hpp"
#ifdef ORRERY_WITH_CUDA
#include "kernels/core/check.hpp"
#endif

namespace orrery {

#ifdef ORRERY_WITH_CUDA

CudaGraph::~CudaGraph() {
  if (executable_) cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(executable_));
}

void CudaGraph::record(const Context& ctx, const std::function<void()>& body) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamBeginCapture(ctx.stream(), cudaStreamCaptureModeThreadLocal));
  try {
    body();
  } catch (...) {
    cudaStreamEndCapture(ctx.stream(), &graph);  // leave the stream usable
    if (graph) cudaGraphDestroy(graph);
    throw;
  }
  check(cudaStreamEndCapture(ctx.stream(), &graph));
  cudaGraphExec_t executable = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(status);
  executable_ = executable;
}

void CudaGraph::launch(const Context& ctx) const {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(executable_), ctx.stream()));
}

#else

CudaGraph::~CudaGraph() = default;
void CudaGraph::record(const Context&, const std::function<void()>&) {
  throw std::logic_error("no CUDA in this build");
}
void CudaGraph::launch(const Context&) const { throw std::logic_error("no CUDA in this build"); }

#endif

}  // namespace orrery
