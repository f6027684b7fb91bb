// Streams, events and graphs, by the rules of CUDA's capture.
#include <gtest/gtest.h>

#include <nvtx3/nvToolsExt.h>

#include "kernels/core/launch.cuh"
#include "support.hpp"

namespace orrery {
namespace {

using emulation::test::Device;
using emulation::test::failed;

__global__ void add_kernel(float* x, float a) { x[threadIdx.x] += a; }

class Streams : public testing::Test {
 protected:
  void SetUp() override { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  void TearDown() override {
    cudaStreamDestroy(stream_);
    emulation::set_quiet(false);
    cudaGetLastError();
  }
  cudaStreamCaptureStatus status(cudaStream_t s) {
    cudaStreamCaptureStatus status{};
    check(cudaStreamIsCapturing(s, &status));
    return status;
  }
  cudaStream_t stream_ = nullptr;
};

TEST_F(Streams, AGraphRecordsAndReplays) {
  Device<float> x(std::vector<float>(4, 0));
  std::vector<float> host(4, -1);
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal));
  EXPECT_EQ(status(stream_), cudaStreamCaptureStatusActive);
  {
    float a = 2;  // gone when the graph runs
    launch(add_kernel, 1, 4, 0, stream_, x.data(), a);
    a = 100;
  }
  launch(add_kernel, 1, 2, 0, stream_, x.data(), 1);
  check(cudaMemcpyAsync(host.data(), x.data(), 16, cudaMemcpyDeviceToHost, stream_));
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream_, &graph));
  EXPECT_EQ(status(stream_), cudaStreamCaptureStatusNone);
  EXPECT_EQ(x.get(), std::vector<float>(4, 0)) << "capturing runs nothing";
  size_t nodes = 0;
  check(cudaGraphGetNodes(graph, nullptr, &nodes));
  EXPECT_EQ(nodes, 3u);

  cudaGraphExec_t exec = nullptr;
  check(cudaGraphInstantiate(&exec, graph));
  check(cudaGraphDestroy(graph));  // the executable graph stands alone
  for (int i = 0; i < 3; ++i) check(cudaGraphLaunch(exec, stream_));
  check(cudaStreamSynchronize(stream_));
  EXPECT_EQ(host, (std::vector<float>{9, 9, 6, 6}));
  check(cudaGraphExecDestroy(exec));
}

TEST_F(Streams, WhatCannotBeCapturedInvalidatesTheCapture) {
  emulation::set_quiet(true);
  Device<float> x(4);
  std::vector<float> host(4);
  void* p = nullptr;
  const std::vector<std::function<cudaError_t()>> calls = {
      [&] { return cudaMalloc(&p, 4); },
      [&] { return cudaFree(x.data()); },
      [&] { return cudaMemcpy(host.data(), x.data(), 16, cudaMemcpyDeviceToHost); },
      [&] { return cudaMemset(x.data(), 0, 16); },
      [&] { return cudaMallocHost(&p, 4); },
      [&] { return cudaStreamSynchronize(stream_); },
      [&] { return cudaStreamQuery(stream_); },
      [&] { return cudaDeviceSynchronize(); },
  };
  for (size_t i = 0; i < calls.size(); ++i) {
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal));
    EXPECT_EQ(calls[i](), cudaErrorStreamCaptureUnsupported) << "call " << i;
    EXPECT_EQ(status(stream_), cudaStreamCaptureStatusInvalidated);
    cudaGraph_t graph = nullptr;
    EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureInvalidated);
    EXPECT_EQ(graph, nullptr);
    cudaGetLastError();
  }
}

TEST_F(Streams, InRelaxedModeMemoryMayBeAllocated) {
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed));
  void* p = nullptr;
  EXPECT_EQ(cudaMalloc(&p, 4), cudaSuccess);
  cudaGraph_t graph = nullptr;
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cudaFree(p), cudaSuccess);
}

TEST_F(Streams, ALaunchThatCudaRefusesIsRefusedAtCapture) {
  Device<float> x(4);
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal));
  emulation::test::refused(cudaErrorInvalidConfiguration, [&] { launch(add_kernel, 0, 4, 0, stream_, x.data(), 1); });
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(stream_, &graph);
  cudaGraphDestroy(graph);
}

TEST_F(Streams, OtherStreamsJoinACaptureThroughEvents) {
  emulation::set_quiet(true);
  Device<float> x(std::vector<float>(4, 0));
  cudaStream_t side = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  check(cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking));
  check(cudaEventCreateWithFlags(&fork, cudaEventDisableTiming));
  check(cudaEventCreateWithFlags(&join, cudaEventDisableTiming));
  for (bool joined : {true, false}) {
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeGlobal));
    check(cudaEventRecord(fork, stream_));
    check(cudaStreamWaitEvent(side, fork));
    EXPECT_EQ(status(side), cudaStreamCaptureStatusActive);
    launch(add_kernel, 1, 4, 0, side, x.data(), 1);
    check(cudaEventRecord(join, side));
    if (joined) check(cudaStreamWaitEvent(stream_, join));
    cudaGraph_t graph = nullptr;
    const cudaError_t e = cudaStreamEndCapture(stream_, &graph);
    EXPECT_EQ(e, joined ? cudaSuccess : cudaErrorStreamCaptureUnjoined);
    EXPECT_EQ(status(side), cudaStreamCaptureStatusNone);
    if (!joined) continue;
    cudaGraphExec_t exec = nullptr;
    check(cudaGraphInstantiate(&exec, graph, 0));
    check(cudaGraphLaunch(exec, stream_));
    EXPECT_EQ(x.get(), std::vector<float>(4, 1));
    check(cudaGraphExecDestroy(exec));
    check(cudaGraphDestroy(graph));
  }
  check(cudaEventDestroy(fork));
  check(cudaEventDestroy(join));
  check(cudaStreamDestroy(side));
}

TEST_F(Streams, EventsMeasureTimeInOrder) {
  emulation::set_quiet(true);
  cudaEvent_t a = nullptr, b = nullptr;
  check(cudaEventCreate(&a));
  check(cudaEventCreate(&b));
  float ms = -1;
  failed(cudaErrorInvalidResourceHandle, cudaEventElapsedTime(&ms, a, b));
  check(cudaEventRecord(a, stream_));
  check(cudaEventRecord(b, stream_));
  check(cudaEventSynchronize(b));
  check(cudaEventElapsedTime(&ms, a, b));
  EXPECT_GE(ms, 0);
  check(cudaEventDestroy(a));
  check(cudaEventDestroy(b));
  failed(cudaErrorInvalidResourceHandle, cudaEventRecord(a, stream_));
}

TEST_F(Streams, ADestroyedStreamIsAnError) {
  emulation::set_quiet(true);
  cudaStream_t s = nullptr;
  check(cudaStreamCreate(&s));
  check(cudaStreamDestroy(s));
  failed(cudaErrorInvalidResourceHandle, cudaStreamSynchronize(s));
  failed(cudaErrorInvalidResourceHandle, cudaMemsetAsync(nullptr, 0, 0, s));
}

TEST_F(Streams, HostFunctionsRunInTheirTurn) {
  int calls = 0;
  check(cudaLaunchHostFunc(
      stream_, [](void* p) { ++*static_cast<int*>(p); }, &calls));
  EXPECT_EQ(calls, 1);
}

TEST(Nvtx, RangesAreCounted) {
  emulation::reset_nvtx_counts();
  nvtxRangePushA("round");
  nvtxRangePushA("step");
  nvtxRangePop();
  EXPECT_EQ(emulation::nvtx_counts().pushed - emulation::nvtx_counts().popped, 1);
  nvtxRangePop();
  EXPECT_LT(nvtxRangePop(), 0);
  EXPECT_EQ(emulation::nvtx_counts().popped, 2);
  EXPECT_EQ(emulation::nvtx_pushed("round"), 1);
  EXPECT_EQ(emulation::nvtx_pushed("step"), 1);
  EXPECT_EQ(emulation::nvtx_pushed("else"), 0);
  EXPECT_EQ(emulation::nvtx_counts().unmatched_pops, 1);
}

}  // namespace
}  // namespace orrery
