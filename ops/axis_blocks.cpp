#include "ops/axis_blocks.h"

#include <cassert>

#include "tensor/backend.h"

namespace limoe {

void copy_into_slice(Tensor& to, int axis, int64_t begin, const Tensor& part) {
  assert(to.is_contiguous() && part.is_contiguous() && "blocks are contiguous in both");
  const int at = to.shape().normalized_axis(axis);
  size_t outer = 1, inner = size_of(to.dtype());
  for (int i = 0; i < at; ++i) outer *= size_t(to.dim(i));
  for (int i = at + 1; i < to.rank(); ++i) inner *= size_t(to.dim(i));
  const size_t block = size_t(part.dim(at)) * inner, step = size_t(to.dim(at)) * inner;
  if (outer * block == 0) return;
  Backend& backend = backend_of(to.device());
  std::byte* const target = to.raw_mutable_data() + size_t(begin) * inner;
  for (size_t i = 0; i < outer; ++i) backend.copy(target + i * step, part.raw_data() + i * block, block);
}

}  // namespace limoe
