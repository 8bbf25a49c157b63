// Copying a tensor into a range of one axis of another. For slice and concat.
#pragma once

#include "tensor/tensor.h"

namespace limoe {

// to[.., begin .. begin + part's size, ..] = part along `axis`; of one dtype and one device. `to` is
// contiguous, the part may be a strided view.
void copy_into_slice(Tensor& to, int axis, int64_t begin, const Tensor& part);

}  // namespace limoe
