#include "cuda/gemm_f32.cuh"
#include "cuda/gemm_kernel.cuh"

namespace limoe::cuda {

template <>
void gemm(Stream stream, GemmShape shape, GemmInput<float> a, GemmInput<float> b, GemmOutput<float> c,
          GemmEpilogue<float, float> epilogue, float* workspace, GemmTile tile) {
  gemm_by_plan<F32Tiles>(stream, shape, a, b, c, epilogue, workspace, tile);
}

}  // namespace limoe::cuda
