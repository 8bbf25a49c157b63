#include "ops/reshape.h"

#include "autograd/record.h"
#include "tensor/factory.h"

namespace limoe {

Var reshape(const Var& x, const Shape& shape) {
  return record(
      "reshape", contiguous(x.value()).reshape(shape), {x},
      [shape = x.shape()](const Tensor& dy, InputGradients& d) { d.set(0, contiguous(dy).reshape(shape)); });
}

}  // namespace limoe
