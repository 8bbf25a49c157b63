// Matrix products on the device.   C = epilogue(beta * C + op(A) op(B))
//
// op(A) is [m, k], op(B) is [k, n], C is [m, n], row-major; op(X) is X, or X transposed when the input says
// so. Any sizes, any strides. Inputs f32 (on CUDA cores, exact products) or bf16 (on tensor cores); sums in
// f32; C f32 or, from bf16 inputs, f32 or bf16.
//   epilogue(s): s += bias[column]; before_gelu = s; s = gelu(s); s += residual    each if asked for
//
// A block makes a tile of C, 128 x 128 or 64 x 64, from panels of A and B that stream through shared memory
// by cp.async; on a Hopper, in bf16, tiles of 128 x 256, one after another (cuda/gemm_warpgroup.cuh).
// Products with few tiles and a long k (weight gradients) are cut along k; the pieces, in f32, lie in the
// workspace until a second kernel adds them in order. All choices depend on the sizes alone, so the bits are
// the same in every run.
#pragma once

#include <cstdint>

#include "cuda/gemm_plan.h"
#include "cuda/stream.h"

namespace limoe::cuda {

template <class T>
struct GemmInput {
  const T* data;
  int64_t stride;           // between rows as they lie in memory
  bool transposed = false;  // memory holds the transpose
  int64_t batch_stride = 0;
};

template <class Out>
struct GemmOutput {
  Out* data;
  int64_t stride;
  float beta = 0;  // at 0 the output is only written: it may hold anything
  int64_t batch_stride = 0;
};

// residual and before_gelu lie in memory as C does.
template <class T, class Out>
struct GemmEpilogue {
  const T* bias = nullptr;  // [n]
  bool gelu = false;
  Out* before_gelu = nullptr;
  const Out* residual = nullptr;
};

// workspace: gemm_workspace(shape, tile) floats. T, Out: float, float; bf16, bf16; bf16, float.
template <class T, class Out>
void gemm(Stream stream, GemmShape shape, GemmInput<T> a, GemmInput<T> b, GemmOutput<Out> c,
          GemmEpilogue<T, Out> epilogue, float* workspace, GemmTile tile = GemmTile::automatic);

}  // namespace limoe::cuda
