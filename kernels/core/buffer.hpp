// Memory with one owner: moved, never copied. Zeroed when made. Freed in stream order on CUDA.
// The bytes in use and their peak are counted per backend; `summary.json` reports the peak.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kernels/core/context.hpp"
#include "kernels/core/view.hpp"

namespace orrery {

struct MemoryUse {
  int64_t now = 0, peak = 0;  // bytes
};
MemoryUse memory_use(Backend backend);
void reset_memory_peak(Backend backend);

namespace detail {
void* allocate(const Context&, int64_t bytes);  // throws DeviceError naming the bytes
void release(Backend, CUstream_st* stream, void* p, int64_t bytes) noexcept;
void copy(const Context&, void* to, Backend to_where, const void* from, Backend from_where, int64_t bytes);
void zero(const Context&, void* p, int64_t bytes);
void count_memory(Backend, int64_t bytes);  // of memory that is no Buffer's; negative: given back
}  // namespace detail

template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Context& ctx, int64_t n)
      : ptr_(n > 0 ? static_cast<T*>(detail::allocate(ctx, n * int64_t{sizeof(T)})) : nullptr),
        n_(n),
        where_(ctx.backend),
        stream_(ctx.stream()) {}
  Buffer(const Context& ctx, std::span<const T> host) : Buffer(ctx, static_cast<int64_t>(host.size())) {
    assign(ctx, host);
  }
  Buffer(const Context& ctx, const std::vector<T>& host) : Buffer(ctx, std::span<const T>(host)) {}
  Buffer(Buffer&& o) noexcept { swap(o); }
  Buffer& operator=(Buffer&& o) noexcept {
    Buffer(std::move(o)).swap(*this);
    return *this;
  }
  ~Buffer() {
    if (ptr_) detail::release(where_, stream_, ptr_, n_ * int64_t{sizeof(T)});
  }

  T* data() const { return ptr_; }
  int64_t size() const { return n_; }
  MatrixView<T> view(int64_t rows, int64_t cols) const { return {ptr_, rows, cols, where_}; }
  VectorView<T> view() const { return {ptr_, n_, where_}; }

  void assign(const Context& ctx, std::span<const T> host) {  // sizes must agree; waits for the copy
    expects(static_cast<int64_t>(host.size()) == n_, "as many values as the buffer holds");
    if (n_ > 0) detail::copy(ctx, ptr_, where_, host.data(), Backend::cpu, n_ * int64_t{sizeof(T)});
  }
  std::vector<T> to_host(const Context& ctx) const { return to_host(ctx, 0, n_); }
  std::vector<T> to_host(const Context& ctx, int64_t first, int64_t count) const {
    expects(first >= 0 && count >= 0 && first + count <= n_, "a range inside the buffer");
    std::vector<T> host(static_cast<size_t>(count));
    if (count > 0) detail::copy(ctx, host.data(), Backend::cpu, ptr_ + first, where_, count * int64_t{sizeof(T)});
    return host;
  }

 private:
  void swap(Buffer& o) noexcept {
    std::swap(ptr_, o.ptr_);
    std::swap(n_, o.n_);
    std::swap(where_, o.where_);
    std::swap(stream_, o.stream_);
  }
  T* ptr_ = nullptr;
  int64_t n_ = 0;
  Backend where_ = Backend::cpu;
  CUstream_st* stream_ = nullptr;
};

// The values behind a view, on the host.
template <class T>
std::vector<std::remove_const_t<T>> to_host(const Context& ctx, VectorView<T> v) {
  std::vector<std::remove_const_t<T>> host(static_cast<size_t>(v.size()));
  if (v.size() > 0) detail::copy(ctx, host.data(), Backend::cpu, v.data(), v.where(), v.size() * int64_t{sizeof(T)});
  return host;
}
template <class T>
std::vector<std::remove_const_t<T>> to_host(const Context& ctx, MatrixView<T> m) {
  expects(m.stride() == m.extent(1), "a dense matrix");
  return to_host(ctx, VectorView<T>(m.data(), m.size(), m.where()));
}

}  // namespace orrery
