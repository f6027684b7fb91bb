// Streams, events and graphs. Work runs when it is submitted; while a stream captures it is recorded and replayed by
// cudaGraphLaunch.
#include <chrono>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "internal.hpp"

struct CUgraphNode_st {
  std::function<cudaError_t()> work;
};
using Nodes = std::vector<std::shared_ptr<CUgraphNode_st>>;

struct CUgraph_st {
  Nodes nodes;
};
struct CUgraphExec_st {
  Nodes nodes;  // shared with the graph, which may be destroyed first
};

namespace orrery::emulation {
// A capture in progress; shared by the streams that joined it through events.
struct Capture {
  Nodes nodes;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  cudaStream_t origin = nullptr;
  std::thread::id thread;
  bool invalid = false;
  std::set<cudaStream_t> joined;    // other streams that capture into it
  std::set<cudaStream_t> unjoined;  // those whose work the origin has not waited for
};
}  // namespace orrery::emulation

struct CUstream_st {
  unsigned flags = 0;
  std::shared_ptr<orrery::emulation::Capture> capture;
};
struct CUevent_st {
  bool timed = true, recorded = false;
  std::chrono::steady_clock::time_point at;
  std::weak_ptr<orrery::emulation::Capture> capture;  // last recorded in a capturing stream
  cudaStream_t stream = nullptr;
};

namespace orrery::emulation {
namespace {

std::set<cudaStream_t>& streams() {
  static auto* s = new std::set<cudaStream_t>;
  return *s;
}
std::set<cudaEvent_t>& events() {
  static auto* s = new std::set<cudaEvent_t>;
  return *s;
}
std::set<std::shared_ptr<Capture>>& captures() {
  static auto* s = new std::set<std::shared_ptr<Capture>>;
  return *s;
}

bool is_default(cudaStream_t s) { return s == nullptr || s == cudaStreamLegacy || s == cudaStreamPerThread; }
bool known(cudaStream_t s) { return is_default(s) || streams().count(s) > 0; }
std::shared_ptr<Capture> capture_of(cudaStream_t s) { return is_default(s) ? nullptr : s->capture; }

cudaError_t bad_stream(const char* call) {
  return fail(cudaErrorInvalidResourceHandle, std::string(call) + ": not a live stream");
}
cudaError_t bad_event(const char* call) {
  return fail(cudaErrorInvalidResourceHandle, std::string(call) + ": not a live event");
}

thread_local cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

}  // namespace

// By CUDA's rule: forbidden if this thread captures in any mode but relaxed, or any thread captures in global mode.
cudaError_t refuse_in_capture(const char* call) {
  std::lock_guard lock(device_mutex());
  if (thread_mode == cudaStreamCaptureModeRelaxed) return cudaSuccess;
  for (const auto& c : captures()) {
    const bool mine = c->thread == std::this_thread::get_id();
    if (c->mode == cudaStreamCaptureModeRelaxed || (c->mode == cudaStreamCaptureModeThreadLocal && !mine)) continue;
    if (thread_mode == cudaStreamCaptureModeThreadLocal && !mine) continue;
    c->invalid = true;
    return fail(cudaErrorStreamCaptureUnsupported, std::string(call) + " while a stream captures a graph");
  }
  return cudaSuccess;
}

// Calls that a capturing stream cannot record.
cudaError_t refuse_on_capturing(cudaStream_t stream, const char* call) {
  std::lock_guard lock(device_mutex());
  if (!known(stream)) return bad_stream(call);
  if (const auto c = capture_of(stream)) {
    c->invalid = true;
    return fail(cudaErrorStreamCaptureUnsupported, std::string(call) + " on a stream that captures a graph");
  }
  return cudaSuccess;
}

cudaError_t submit(cudaStream_t stream, std::function<cudaError_t()> work) {
  {
    std::lock_guard lock(device_mutex());
    if (!known(stream)) return bad_stream("work on a stream");
    if (const auto c = capture_of(stream)) {
      if (c->invalid) return fail(cudaErrorStreamCaptureInvalidated, "the capture was invalidated by an earlier call");
      c->nodes.push_back(std::make_shared<CUgraphNode_st>(std::move(work)));
      if (stream != c->origin) c->unjoined.insert(stream);
      return cudaSuccess;
    }
    // The legacy stream waits for every blocking stream, which a capturing one cannot offer.
    if (stream == nullptr || stream == cudaStreamLegacy)
      for (const auto& c : captures())
        if (!is_default(c->origin) && !(c->origin->flags & cudaStreamNonBlocking)) {
          c->invalid = true;
          return fail(cudaErrorStreamCaptureImplicit,
                      "work on the default stream while a blocking stream captures a graph");
        }
  }
  return work();
}

}  // namespace orrery::emulation

using namespace orrery::emulation;

// ---- streams ----

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (!stream || flags > cudaStreamNonBlocking) return fail(cudaErrorInvalidValue, "cudaStreamCreateWithFlags");
  std::lock_guard lock(device_mutex());
  streams().insert(*stream = new CUstream_st{flags, nullptr});
  return cudaSuccess;
}
cudaError_t cudaStreamCreate(cudaStream_t* stream) { return cudaStreamCreateWithFlags(stream, cudaStreamDefault); }
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* stream, unsigned flags, int) {
  return cudaStreamCreateWithFlags(stream, flags);
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  *least = 0, *greatest = -5;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  std::lock_guard lock(device_mutex());
  if (is_default(stream) || !known(stream)) return bad_stream("cudaStreamDestroy");
  if (stream->capture && stream->capture->origin == stream) captures().erase(stream->capture);
  streams().erase(stream);
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) { return refuse_on_capturing(stream, "cudaStreamSynchronize"); }
cudaError_t cudaStreamQuery(cudaStream_t stream) { return refuse_on_capturing(stream, "cudaStreamQuery"); }
cudaError_t cudaDeviceSynchronize() {
  std::lock_guard lock(device_mutex());
  for (const auto& c : captures()) {
    c->invalid = true;
    return fail(cudaErrorStreamCaptureUnsupported, "cudaDeviceSynchronize while a stream captures a graph");
  }
  return cudaSuccess;
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t fn, void* user_data) {
  if (!fn) return fail(cudaErrorInvalidValue, "cudaLaunchHostFunc: null");
  return submit(stream, [=] { return fn(user_data), cudaSuccess; });
}

// ---- events ----

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  if (!event) return fail(cudaErrorInvalidValue, "cudaEventCreate: null");
  std::lock_guard lock(device_mutex());
  auto* e = new CUevent_st;
  e->timed = !(flags & cudaEventDisableTiming);
  events().insert(*event = e);
  return cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return cudaEventCreateWithFlags(event, cudaEventDefault); }
cudaError_t cudaEventCreate(cudaEvent_t* event, unsigned flags) { return cudaEventCreateWithFlags(event, flags); }
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  std::lock_guard lock(device_mutex());
  if (events().erase(event) == 0) return bad_event("cudaEventDestroy");
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  std::lock_guard lock(device_mutex());
  if (!events().count(event)) return bad_event("cudaEventRecord");
  if (!known(stream)) return bad_stream("cudaEventRecord");
  event->stream = stream;
  if (const auto c = capture_of(stream)) {  // only orders work inside the graph
    event->capture = c;
    return cudaSuccess;
  }
  event->capture.reset();
  event->recorded = true;
  event->at = std::chrono::steady_clock::now();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  std::lock_guard lock(device_mutex());
  if (!events().count(event)) return bad_event("cudaStreamWaitEvent");
  if (!known(stream)) return bad_stream("cudaStreamWaitEvent");
  const auto from = event->capture.lock();
  const auto own = capture_of(stream);
  if (from && captures().count(from)) {
    if (is_default(stream))
      return from->invalid = true,
             fail(cudaErrorStreamCaptureImplicit, "the default stream waits for a captured event");
    if (own && own != from)
      return own->invalid = from->invalid = true, fail(cudaErrorStreamCaptureMerge, "an event of another capture");
    if (!own) stream->capture = from, from->joined.insert(stream);
    if (stream == from->origin) from->unjoined.erase(event->stream);
    return cudaSuccess;
  }
  if (own) {
    own->invalid = true;
    return fail(cudaErrorStreamCaptureIsolation, "a capturing stream waits for an event recorded outside the capture");
  }
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  std::lock_guard lock(device_mutex());
  if (!events().count(event)) return bad_event("cudaEventSynchronize");
  if (const auto c = event->capture.lock(); c && captures().count(c))
    return c->invalid = true, fail(cudaErrorCapturedEvent, "waits on the host for a captured event");
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) { return cudaEventSynchronize(event); }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  std::lock_guard lock(device_mutex());
  if (!events().count(start) || !events().count(end)) return bad_event("cudaEventElapsedTime");
  if (!start->timed || !end->timed || !start->recorded || !end->recorded)
    return fail(cudaErrorInvalidResourceHandle,
                "cudaEventElapsedTime: an event was not recorded, or made without timing");
  *ms = std::chrono::duration<float, std::milli>(end->at - start->at).count();
  return cudaSuccess;
}

// ---- graphs ----

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  std::lock_guard lock(device_mutex());
  if (!known(stream)) return bad_stream("cudaStreamBeginCapture");
  if (stream == nullptr || stream == cudaStreamLegacy)
    return fail(cudaErrorStreamCaptureUnsupported, "the default stream cannot capture");
  if (is_default(stream)) return fail(cudaErrorNotSupported, "the emulation does not capture on cudaStreamPerThread");
  if (stream->capture) return fail(cudaErrorIllegalState, "cudaStreamBeginCapture: the stream is capturing already");
  stream->capture = std::make_shared<Capture>();
  stream->capture->mode = mode;
  stream->capture->origin = stream;
  stream->capture->thread = std::this_thread::get_id();
  captures().insert(stream->capture);
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  std::lock_guard lock(device_mutex());
  if (graph) *graph = nullptr;
  const auto c = known(stream) ? capture_of(stream) : nullptr;
  if (!c) return fail(cudaErrorIllegalState, "cudaStreamEndCapture: the stream is not capturing");
  if (c->origin != stream)
    return fail(cudaErrorStreamCaptureUnmatched, "cudaStreamEndCapture: the capture began on another stream");
  if (c->mode != cudaStreamCaptureModeRelaxed && c->thread != std::this_thread::get_id())
    return fail(cudaErrorStreamCaptureWrongThread, "cudaStreamEndCapture: the capture began on another thread");
  captures().erase(c);
  stream->capture = nullptr;
  for (const cudaStream_t s : c->joined)
    if (known(s)) s->capture = nullptr;
  if (c->invalid) return fail(cudaErrorStreamCaptureInvalidated, "the capture was invalidated by an earlier call");
  if (!c->unjoined.empty())
    return fail(cudaErrorStreamCaptureUnjoined,
                "the capture holds work of a stream that the first one never waited for");
  *graph = new CUgraph_st{c->nodes};
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  std::lock_guard lock(device_mutex());
  if (!known(stream)) return bad_stream("cudaStreamIsCapturing");
  const auto c = capture_of(stream);
  *status = !c           ? cudaStreamCaptureStatusNone
            : c->invalid ? cudaStreamCaptureStatusInvalidated
                         : cudaStreamCaptureStatusActive;
  return cudaSuccess;
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
  std::swap(thread_mode, *mode);
  return cudaSuccess;
}
cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned) {
  *graph = new CUgraph_st;
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  if (!exec || !graph) return fail(cudaErrorInvalidValue, "cudaGraphInstantiate: null");
  *exec = new CUgraphExec_st{graph->nodes};
  return cudaSuccess;
}
cudaError_t cudaGraphUpload(cudaGraphExec_t exec, cudaStream_t) {
  return exec ? cudaSuccess : fail(cudaErrorInvalidValue, "cudaGraphUpload: null");
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  if (!exec) return fail(cudaErrorInvalidValue, "cudaGraphLaunch: null");
  return submit(stream, [nodes = exec->nodes] {  // inside a capture: a child graph
    for (const auto& node : nodes)
      if (const cudaError_t e = node->work()) return e;
    return cudaSuccess;
  });
}
cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
  if (!graph || !count) return fail(cudaErrorInvalidValue, "cudaGraphGetNodes: null");
  for (size_t i = 0; nodes && i < *count; ++i) nodes[i] = i < graph->nodes.size() ? graph->nodes[i].get() : nullptr;
  *count = nodes ? std::min(*count, graph->nodes.size()) : graph->nodes.size();
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
