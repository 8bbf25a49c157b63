// The only switch over machines and dtypes in the repository.
//
//   dispatch("softmax", x, [&]<class T>(OnCpu<T>) { forward_cpu(x.data<T>(), y.mutable_data<T>(), rows); });
//
// The body is compiled for float and double on the CPU. Another machine is another tag and one more body.
#pragma once

#include "tensor/error.h"
#include "tensor/tensor.h"

namespace limoe {

template <class T>
struct OnCpu {};

template <class CpuBody>
void dispatch(const char* op, const Tensor& x, const CpuBody& on_cpu) {
  if (x.device().kind != DeviceKind::cpu)
    throw DeviceError(op, ": the tensor is on ", x.device(),
                      "; expected cpu, the only device this op has a body for");
  switch (x.dtype()) {
    case DType::f32:
      return on_cpu(OnCpu<float>{});
    case DType::f64:
      return on_cpu(OnCpu<double>{});
    default:
      throw DTypeError(op, ": the tensor is ", x.dtype(), "; expected f32 or f64 on cpu");
  }
}

}  // namespace limoe
