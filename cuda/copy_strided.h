// copy_strided: to[i] = from[i] for every index i of a shape, each side with strides of its own: how views
// are made contiguous and parts are joined on the device. Works on elements of 2, 4 or 8 bytes without
// reading them.
//
// Where both sides are dense along the last axis 16 bytes are moved at a time. Where `from` is dense along
// another axis (a transposed view) tiles of 32 by 32 go through shared memory, so that both sides are
// touched in whole lines. What falls under neither is copied element by element.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

struct StridedCopy {
  static constexpr int kMostAxes = 6;

  int rank = 0;
  int64_t size[kMostAxes] = {}, to_stride[kMostAxes] = {}, from_stride[kMostAxes] = {};  // in elements
};

void copy_strided(Stream stream, void* to, const void* from, const StridedCopy& copy, size_t element_bytes);

}  // namespace limoe::cuda
