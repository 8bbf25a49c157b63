#include "ops/cast.h"

#include "autograd/record.h"
#include "cuda/cast.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

template <class From, class To>
void cast_on_device(const Tensor& x, Tensor& y) {
  cuda::cast({}, x.device_data<From>(), y.mutable_device_data<To>(), x.element_count());
}

Tensor to_dtype_on_device(const Tensor& x, DType dtype) {
  const Tensor in = contiguous(x);
  Tensor y = empty(x.shape(), dtype, x.device());
  if (x.dtype() == DType::f32 && dtype == DType::bf16)
    cast_on_device<float, bf16>(in, y);
  else if (x.dtype() == DType::bf16 && dtype == DType::f32)
    cast_on_device<bf16, float>(in, y);
  else if (x.dtype() == DType::i32 && dtype == DType::f32)
    cast_on_device<int32_t, float>(in, y);
  else if (x.dtype() == DType::i32 && dtype == DType::bf16)
    cast_on_device<int32_t, bf16>(in, y);
  else
    throw DTypeError("cast: dtype is ", dtype, " and x is ", x.dtype(), " on ", x.device(),
                     "; expected f32 or bf16 there");
  return y;
}

}  // namespace

Tensor cast_forward(const Tensor& x, DType dtype) {
  if (is_floating(x.dtype()) && !is_floating(dtype))
    throw DTypeError("cast: dtype is ", dtype, "; expected a floating dtype because x is ", x.dtype());
  if (x.dtype() == dtype) return x;
  return x.device().kind == DeviceKind::cpu ? to_dtype(x, dtype) : to_dtype_on_device(x, dtype);
}

Var cast(const Var& x, DType dtype) {
  return record(
      "cast", cast_forward(x.value(), dtype), {x},
      [from = x.dtype()](const Tensor& dy, InputGradients& d) { d.set(0, cast_forward(dy, from)); });
}

}  // namespace limoe
