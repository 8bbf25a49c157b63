#include "cuda/gemm_kernel.cuh"
#include "cuda/gemm_warpgroup.cuh"

namespace limoe::cuda {

template <>
void gemm(Stream stream, GemmShape shape, GemmInput<bf16> a, GemmInput<bf16> b, GemmOutput<bf16> c,
          GemmEpilogue<bf16, bf16> epilogue, float* workspace, GemmTile tile) {
  gemm_by_plan<Bf16Tiles>(stream, shape, a, b, c, epilogue, workspace, tile);
}

template <>
void gemm(Stream stream, GemmShape shape, GemmInput<bf16> a, GemmInput<bf16> b, GemmOutput<float> c,
          GemmEpilogue<bf16, float> epilogue, float* workspace, GemmTile tile) {
  gemm_by_plan<Bf16Tiles>(stream, shape, a, b, c, epilogue, workspace, tile);
}

}  // namespace limoe::cuda
