#include "ops/axis_blocks.h"

#include <cassert>

#include "tensor/backend.h"

namespace limoe {

void copy_into_slice(Tensor& to, int axis, int64_t begin, const Tensor& part) {
  assert(to.is_contiguous() && "only a part of it is written");
  const int at = to.shape().normalized_axis(axis);
  if (part.element_count() == 0) return;
  std::byte* const target =
      to.raw_mutable_data() + size_t(begin * to.strides()[size_t(at)]) * size_of(to.dtype());
  backend_of(to.device())
      .copy_strided(target, to.strides(), part.raw_data(), part.strides(), part.shape(), part.dtype());
}

}  // namespace limoe
