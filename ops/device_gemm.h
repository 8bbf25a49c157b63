// gemm() of cuda/gemm.h for the .cpp files of ops: with its workspace as a tensor on the output's device.
#pragma once

#include "cuda/gemm.h"
#include "ops/dispatch.h"
#include "tensor/factory.h"

namespace limoe {

template <class T>
void device_gemm(OnCuda<T> on, Device device, cuda::GemmShape shape, cuda::GemmInput<T> a,
                 cuda::GemmInput<T> b, cuda::GemmOutput<T> c, cuda::GemmEpilogue<T, T> epilogue = {}) {
  Tensor workspace = empty({cuda::gemm_workspace(shape)}, DType::f32, device);
  cuda::gemm<T, T>(on.stream, shape, a, b, c, epilogue, workspace.mutable_device_data<float>());
}

}  // namespace limoe
