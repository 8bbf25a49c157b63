// The dtype of what is kept beside a tensor to make its gradient (means, log-sum-exps, norms): f32 where the
// tensor is bf16, else its own.
#pragma once

#include "tensor/dtype.h"

namespace limoe {

inline DType statistics_dtype(DType dtype) {
  return dtype == DType::bf16 ? DType::f32 : dtype;
}

}  // namespace limoe
