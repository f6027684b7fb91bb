// A stretch of work recorded as one CUDA graph and replayed. Without CUDA the class exists, and is never used.
#pragma once

#include <functional>
#include <utility>

#include "kernels/core/context.hpp"

namespace orrery {

class CudaGraph {
 public:
  CudaGraph() = default;
  CudaGraph(CudaGraph&& o) noexcept : executable_(std::exchange(o.executable_, nullptr)) {}
  CudaGraph& operator=(CudaGraph&& o) noexcept {
    std::swap(executable_, o.executable_);
    return *this;
  }
  ~CudaGraph();

  void record(const Context&,
              const std::function<void()>& body);  // captures what body puts on the context's stream; runs nothing
  void launch(const Context&) const;

 private:
  void* executable_ = nullptr;  // cudaGraphExec_t
};

}  // namespace orrery
