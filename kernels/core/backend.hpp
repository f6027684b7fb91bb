// The two backends and the one place where a call chooses between them.
#pragma once

#include <stdexcept>

#include "kernels/core/error.hpp"

// Functions that both backends call carry this mark.
#if defined(__CUDACC__)
#define ORRERY_HD __host__ __device__
#else
#define ORRERY_HD
#endif

namespace orrery {

enum class Backend { cpu, cuda };

inline const char* name(Backend b) { return b == Backend::cpu ? "cpu" : "cuda"; }

// Calls f.operator()<Backend>(); a build without CUDA never instantiates the cuda arm.
template <class F>
decltype(auto) dispatch(Backend b, F&& f) {
  switch (b) {
    case Backend::cpu: return f.template operator()<Backend::cpu>();
    case Backend::cuda:
#ifdef ORRERY_WITH_CUDA
      return f.template operator()<Backend::cuda>();
#else
      throw DeviceError("this program was built without CUDA; build the preset \"cuda\" or set device = \"cpu\"");
#endif
  }
  throw std::logic_error("unknown backend");
}

}  // namespace orrery
