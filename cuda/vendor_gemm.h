// Products by the vendor's library, behind the arguments of cuda/gemm.h. cuda/vendor/cublas.cpp gives
// cuBLASLt, loaded when it is first asked for, so that the program starts without it; the simulator has no
// such library.
#pragma once

#include <string>

#include "cuda/gemm.h"
#include "tensor/bf16.h"

namespace limoe::cuda {

bool vendor_gemm_available(std::string* why);
std::string vendor_gemm_name();  // "cuBLASLt 13.1.0"; empty when it is not available

// False, having done nothing, when one call of the library cannot do this: then ours must.
template <class T, class Out>
bool vendor_gemm(Stream stream, GemmShape shape, GemmInput<T> a, GemmInput<T> b, GemmOutput<Out> c,
                 GemmEpilogue<T, Out> epilogue);

}  // namespace limoe::cuda
