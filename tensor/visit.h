// From a dtype that is known when the program runs to the C++ type it stands for.
#pragma once

#include "tensor/bf16.h"
#include "tensor/dtype.h"
#include "tensor/error.h"

namespace limoe {

// use(T()) with the type of `dtype`.
template <class Use>
auto visit(DType dtype, const Use& use) {
  switch (dtype) {
    case DType::f32:
      return use(float{});
    case DType::bf16:
      return use(bf16{});
    case DType::i32:
      return use(int32_t{});
    case DType::f64:
      return use(double{});
  }
  throw DTypeError("visit: dtype number ", int(dtype), " is unknown");
}

}  // namespace limoe
