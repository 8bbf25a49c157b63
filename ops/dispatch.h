// The only switch over machines and dtypes in the repository.
//
//   dispatch("softmax", x,
//            [&]<class T>(OnCpu<T>) { forward_cpu(x.data<T>(), y.mutable_data<T>(), rows); },
//            [&]<class T>(OnCuda<T> on) { cuda::softmax_forward(on.stream, x.device_data<T>(),
//            y.mutable_device_data<T>(), rows); });
//
// On the CPU a body is compiled for float and double, on a device (a GPU or its simulator) for float and
// bf16.
#pragma once

#include "cuda/op_range.h"
#include "cuda/stream.h"
#include "tensor/bf16.h"
#include "tensor/error.h"
#include "tensor/tensor.h"

namespace limoe {

template <class T>
struct OnCpu {};

template <class T>
struct OnCuda {
  cuda::Stream stream;
};

namespace detail {

[[noreturn]] inline void refuse_device(const char* op, const Tensor& x) {
  throw DeviceError(op, ": the tensor is on ", x.device(),
                    "; expected cpu, the only device this op has a body for");
}
[[noreturn]] inline void refuse_dtype(const char* op, const Tensor& x, const char* expected) {
  throw DTypeError(op, ": the tensor is ", x.dtype(), "; expected ", expected, " on ", x.device());
}

template <class CpuBody>
void dispatch_cpu(const char* op, const Tensor& x, const CpuBody& on_cpu) {
  switch (x.dtype()) {
    case DType::f32:
      return on_cpu(OnCpu<float>{});
    case DType::f64:
      return on_cpu(OnCpu<double>{});
    default:
      refuse_dtype(op, x, "f32 or f64");
  }
}

}  // namespace detail

template <class CpuBody, class CudaBody>
void dispatch(const char* op, const Tensor& x, const CpuBody& on_cpu, const CudaBody& on_cuda) {
  if (x.device().kind == DeviceKind::cpu) return detail::dispatch_cpu(op, x, on_cpu);
  const cuda::OpRange range(op);
  switch (x.dtype()) {
    case DType::f32:
      return on_cuda(OnCuda<float>{});
    case DType::bf16:
      return on_cuda(OnCuda<bf16>{});
    default:
      detail::refuse_dtype(op, x, "f32 or bf16");
  }
}

// An op without a body for devices.
template <class CpuBody>
void dispatch(const char* op, const Tensor& x, const CpuBody& on_cpu) {
  if (x.device().kind != DeviceKind::cpu) detail::refuse_device(op, x);
  detail::dispatch_cpu(op, x, on_cpu);
}

}  // namespace limoe
