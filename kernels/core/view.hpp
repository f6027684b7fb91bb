// Shaped, non-owning views. Names follow std::mdspan, so that moving to it later is a typedef.
// A view knows on which side its memory lies; every kernel entry checks that.
#pragma once

#include <concepts>
#include <cstdint>
#include <type_traits>

#include "kernels/core/backend.hpp"

namespace orrery {

// A row-major matrix (rows, cols) whose rows are `stride` elements apart (stride >= cols). Indices are 64 bits: rows * cols passes 2^31.
template <class T>
class MatrixView {
 public:
  MatrixView() = default;
  ORRERY_HD MatrixView(T* data, int64_t rows, int64_t cols, Backend where)
      : MatrixView(data, rows, cols, cols, where) {}
  ORRERY_HD MatrixView(T* data, int64_t rows, int64_t cols, int64_t stride, Backend where)
      : data_(data), rows_(rows), cols_(cols), stride_(stride), where_(where) {}
  template <class U>
  requires std::same_as<T, const U> ORRERY_HD MatrixView(const MatrixView<U>& o)  // float -> const float only
      : MatrixView(o.data(), o.extent(0), o.extent(1), o.stride(), o.where()) {}

  ORRERY_HD T& operator()(int64_t r, int64_t c) const { return data_[r * stride_ + c]; }
  ORRERY_HD T* row(int64_t r) const { return data_ + r * stride_; }
  ORRERY_HD T* data() const { return data_; }
  ORRERY_HD int64_t extent(int d) const { return d == 0 ? rows_ : cols_; }
  ORRERY_HD int64_t stride() const { return stride_; }
  ORRERY_HD int64_t size() const { return rows_ * cols_; }
  ORRERY_HD Backend where() const { return where_; }
  ORRERY_HD MatrixView rows(int64_t first, int64_t count) const {
    return {data_ + first * stride_, count, cols_, stride_, where_};
  }
  ORRERY_HD MatrixView columns(int64_t first, int64_t count) const {
    return {data_ + first, rows_, count, stride_, where_};
  }

 private:
  T* data_ = nullptr;
  int64_t rows_ = 0, cols_ = 0, stride_ = 0;
  Backend where_ = Backend::cpu;
};

// n elements in a row.
template <class T>
class VectorView {
 public:
  VectorView() = default;
  ORRERY_HD VectorView(T* data, int64_t n, Backend where) : data_(data), n_(n), where_(where) {}
  template <class U>
  requires std::same_as<T, const U> ORRERY_HD VectorView(const VectorView<U>& o)
      : VectorView(o.data(), o.size(), o.where()) {}

  ORRERY_HD T& operator[](int64_t i) const { return data_[i]; }
  ORRERY_HD T* data() const { return data_; }
  ORRERY_HD int64_t size() const { return n_; }
  ORRERY_HD Backend where() const { return where_; }
  ORRERY_HD VectorView part(int64_t first, int64_t count) const { return {data_ + first, count, where_}; }

 private:
  T* data_ = nullptr;
  int64_t n_ = 0;
  Backend where_ = Backend::cpu;
};

}  // namespace orrery
