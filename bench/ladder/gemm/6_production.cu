// Rung 6: the kernels that ops use (cuda/gemm_f32.cuh, cuda/gemm_bf16.cuh), not copies of them.
//
// To rungs 4 and 5 they add: tiles of 128 x 128; copies of 16 bytes, three steps ahead for the tensor cores;
// all transposes without a copy; epilogues while C is in registers; an order of tiles that the L2 cache
// likes; and pieces of k where C alone has too few tiles.
//
// On a Hopper the same product is made by warpgroups, which take both operands from shared memory, while
// another one copies (cuda/gemm_warpgroup.cuh).
#include "bench/ladder/gemm/ladder.h"
#include "cuda/gemm_bf16.cuh"
#include "cuda/gemm_f32.cuh"
#include "cuda/gemm_kernel.cuh"
#include "cuda/gemm_warpgroup.cuh"

namespace limoe::ladder {
namespace {

template <class Tile, class T>
void by_large_tiles(cuda::Stream stream, Product of, const T* a, const T* b, float* c) {
  const cuda::GemmShape shape{of.m, of.n, of.k};
  const cuda::GemmPlan in_one_piece{cuda::GemmTile::large, 1,
                                    cuda::blocks_for(of.k, cuda::kGemmStep) * cuda::kGemmStep};
  cuda::gemm_by_tiles<Tile, T, float>(stream, shape, in_one_piece, {a, of.k}, {b, of.n}, {c, of.n}, {});
}

}  // namespace

void gemm_production(cuda::Stream stream, Product of, const float* a, const float* b, float* c) {
  by_large_tiles<cuda::F32Tile<cuda::kLargeTile>>(stream, of, a, b, c);
}

void gemm_production_bf16(cuda::Stream stream, Product of, const bf16* a, const bf16* b, float* c) {
  by_large_tiles<cuda::Bf16Tile<cuda::kLargeTile>>(stream, of, a, b, c);
}

void gemm_production_warpgroups(cuda::Stream stream, Product of, const bf16* a, const bf16* b, float* c) {
  by_large_tiles<cuda::WarpgroupTile>(stream, of, a, b, c);
}

}  // namespace limoe::ladder
