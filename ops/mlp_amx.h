// The passes of ops/mlp_blocks.h over rows of one expert in bf16 products, by matrix tiles (ops/amx_pack.h).
//
// 32 rows at a time: their hidden layer is in the first-level cache when gelu takes it from there into the
// tiles of the next products, rounded on the way. The same bits as by ops/gemm.h and whole blocks: sums run
// over the same steps of k, and whether a factor stands left or right does not show.
//
// Only where bf16_products_are_fast(). For the .cpp files of ops.
#pragma once

#include "ops/mlp_blocks.h"
#include "tensor/bf16.h"
#include "tensor/tensor.h"

namespace limoe::detail {

enum class MlpPass { forward, backward };

// The kernels of all experts as one pass wants them: in tiles.
class MlpTiles {
 public:
  MlpTiles(const MlpParts<const float>& weights, const MlpSizes& sizes, MlpPass pass);

  // x [R, D] -> hidden [R, M] before gelu and y [R, O].
  void forward(int64_t expert, int64_t rows, const float* x, float* hidden, float* y) const;
  // -> dx [R, D], and over what sums held, the gradients of the expert's weights. Rows in blocks of
  // `block_rows`, whole times 32, whose tiles are kept for those gradients.
  void backward(int64_t expert, int64_t rows, int64_t block_rows, const float* x, const float* hidden,
                const float* dy, float* dx, const MlpParts<float>& sums) const;

 private:
  struct Scratch;

  void backward_strip(int64_t expert, int64_t rows, int64_t k_step, const float* hidden, const float* dy,
                      float* dx, float* up_bias, const Scratch& scratch) const;
  const bf16* first_kernel(int64_t expert) const { return first_.data<bf16>() + expert * first_size_; }
  const bf16* second_kernel(int64_t expert) const { return second_.data<bf16>() + expert * second_size_; }

  const MlpParts<const float> weights_;
  const MlpSizes sizes_;
  const int64_t wide_;                        // M, filled up to whole steps of k
  int64_t first_size_ = 0, second_size_ = 0;  // elements in the tiles of a kernel
  Tensor first_, second_;                     // up and down; backwards down^T and up^T
};

}  // namespace limoe::detail
