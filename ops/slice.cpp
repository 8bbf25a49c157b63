#include "ops/slice.h"

#include "autograd/record.h"
#include "ops/axis_blocks.h"
#include "ops/check.h"
#include "tensor/factory.h"

namespace limoe {

Tensor slice_backward(const Shape& x_shape, int axis, int64_t begin, const Tensor& dy) {
  expect_shape("slice backward", "dy", dy, x_shape.with(axis, dy.dim(axis)), "because x is ", x_shape);
  Tensor dx = zeros(x_shape, dy.dtype(), dy.device());
  copy_into_slice(dx, axis, begin, dy);
  return dx;
}

Var slice(const Var& x, int axis, int64_t begin, int64_t end) {
  return record("slice", x.value().slice(axis, begin, end), {x},
                [shape = x.shape(), axis, begin](const Tensor& dy, InputGradients& d) {
                  d.set(0, slice_backward(shape, axis, begin, dy));
                });
}

}  // namespace limoe
