// Eigen views of raw row-major memory. For the .cpp files of ops.
#pragma once

#include <Eigen/Core>

#include "tensor/rows.h"

namespace limoe {

template <class T>
using RowMajorArray = Eigen::Array<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using RowMajorMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using RowArray = Eigen::Array<T, 1, Eigen::Dynamic>;

template <class T>
using ArrayMap = Eigen::Map<RowMajorArray<T>>;
template <class T>
using ConstArrayMap = Eigen::Map<const RowMajorArray<T>>;
template <class T>
using RowMap = Eigen::Map<RowArray<T>>;
template <class T>
using ConstRowMap = Eigen::Map<const RowArray<T>>;
template <class T>
using StridedMatrixMap = Eigen::Map<RowMajorMatrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;
template <class T>
using ConstStridedMatrixMap = Eigen::Map<const RowMajorMatrix<T>, Eigen::Unaligned, Eigen::OuterStride<>>;

// [rows.count, rows.width], for element-wise work.
template <class T>
ArrayMap<T> as_array(T* data, Rows rows) {
  return {data, rows.count, rows.width};
}
template <class T>
ConstArrayMap<T> as_array(const T* data, Rows rows) {
  return {data, rows.count, rows.width};
}

// One row of `width` elements.
template <class T>
RowMap<T> as_row(T* data, int64_t width) {
  return {data, 1, width};
}
template <class T>
ConstRowMap<T> as_row(const T* data, int64_t width) {
  return {data, 1, width};
}

// [rows, columns] whose rows lie `stride` elements apart, for products.
template <class T>
StridedMatrixMap<T> as_matrix(T* data, int64_t rows, int64_t columns, int64_t stride) {
  return {data, rows, columns, Eigen::OuterStride<>(stride)};
}
template <class T>
ConstStridedMatrixMap<T> as_matrix(const T* data, int64_t rows, int64_t columns, int64_t stride) {
  return {data, rows, columns, Eigen::OuterStride<>(stride)};
}

// The runs of parallel_for: enough work in each to be worth handing to another thread.
constexpr int64_t kElementsPerRun = 1 << 14;
inline int64_t rows_per_run(int64_t width) {
  return width > 0 ? (kElementsPerRun + width - 1) / width : 1;
}

}  // namespace limoe
