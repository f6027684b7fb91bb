// Shared by the tests of the emulation.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "emulation.hpp"
#include "kernels/core/check.hpp"

namespace orrery::emulation::test {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAsan = true;
#else
inline constexpr bool kAsan = false;
#endif

// n elements of device memory.
template <class T>
class Device {
 public:
  explicit Device(size_t n) : n_(n) { check(cudaMalloc(&p_, n * sizeof(T))); }
  explicit Device(const std::vector<T>& v) : Device(v.size()) { set(v); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device() { cudaFree(p_); }
  T* data() const { return p_; }
  size_t size() const { return n_; }
  void set(const std::vector<T>& v) { check(cudaMemcpy(p_, v.data(), v.size() * sizeof(T), cudaMemcpyHostToDevice)); }
  std::vector<T> get() const {
    std::vector<T> v(n_);
    check(cudaMemcpy(v.data(), p_, n_ * sizeof(T), cudaMemcpyDeviceToHost));
    return v;
  }

 private:
  T* p_ = nullptr;
  size_t n_;
};

// Runs something that must fail: launch() throws. Returns the report.
template <class F>
std::string refused(cudaError_t code, F&& f) {
  set_quiet(true);
  clear_report();
  std::string message = "nothing was thrown";
  try {
    f();
  } catch (const std::exception& e) {
    message = e.what();
  }
  set_quiet(false);
  EXPECT_NE(message.find(cudaGetErrorString(code)), std::string::npos) << message;
  EXPECT_EQ(cudaPeekAtLastError(), cudaSuccess) << "launch() clears the error";
  return last_report();
}

// The same for a plain call of the API.
inline std::string failed(cudaError_t expected, cudaError_t got) {
  EXPECT_EQ(got, expected) << cudaGetErrorName(got) << ": " << last_report();
  cudaGetLastError();
  return last_report();
}

}  // namespace orrery::emulation::test
