// Copying a tensor into a range of one axis of another, in blocks that are contiguous in both. For slice and
// concat.
#pragma once

#include "tensor/tensor.h"

namespace limoe {

// to[.., begin .. begin + part's size, ..] = part along `axis`. Both contiguous, of one dtype and one device.
void copy_into_slice(Tensor& to, int axis, int64_t begin, const Tensor& part);

}  // namespace limoe
