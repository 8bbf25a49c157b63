#include "cuda/vendor_gemm.h"

namespace limoe::cuda {

bool vendor_gemm_available(std::string* why) {
  if (why) *why = "this build simulates the device, and cuBLASLt needs a real one";
  return false;
}

std::string vendor_gemm_name() {
  return "";
}

template <class T, class Out>
bool vendor_gemm(Stream, GemmShape, GemmInput<T>, GemmInput<T>, GemmOutput<Out>, GemmEpilogue<T, Out>) {
  return false;
}

template bool vendor_gemm(Stream, GemmShape, GemmInput<float>, GemmInput<float>, GemmOutput<float>,
                          GemmEpilogue<float, float>);
template bool vendor_gemm(Stream, GemmShape, GemmInput<bf16>, GemmInput<bf16>, GemmOutput<bf16>,
                          GemmEpilogue<bf16, bf16>);
template bool vendor_gemm(Stream, GemmShape, GemmInput<bf16>, GemmInput<bf16>, GemmOutput<float>,
                          GemmEpilogue<bf16, float>);

}  // namespace limoe::cuda
