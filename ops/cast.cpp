#include "ops/cast.h"

#include "autograd/record.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {

Var cast(const Var& x, DType dtype) {
  if (is_floating(x.dtype()) && !is_floating(dtype))
    throw DTypeError("cast: dtype is ", dtype, "; expected a floating dtype because x is ", x.dtype());
  return record("cast", to_dtype(x.value(), dtype), {x},
                [from = x.dtype()](const Tensor& dy, InputGradients& d) { d.set(0, to_dtype(dy, from)); });
}

}  // namespace limoe
