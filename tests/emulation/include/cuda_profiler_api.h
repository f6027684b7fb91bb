// cudaProfilerStart and cudaProfilerStop of the emulated build.
#pragma once

#include "cuda_runtime_api.h"
