#include <algorithm>
#include <type_traits>

#include "cuda/cast.h"
#include "cuda/contrastive_kernels.cuh"
#include "cuda/contrastive_loss.h"
#include "cuda/gemm.h"

namespace limoe::cuda {
namespace {

// What lies where in the scratch memory; every part begins at a multiple of 16 bytes.
template <class T>
struct ContrastiveScratch {
  ContrastiveScratch(float* memory, int64_t n, int64_t d, int64_t chunk) {
    const int64_t rows = std::min(chunk, n);
    const auto take = [&](int64_t floats) {
      float* const taken = memory ? memory + size : nullptr;
      size += (floats + 3) / 4 * 4;
      return taken;
    };
    scale = take(1);
    products = take(rows * n);
    by_pair = take(n);
    sums = take(n);
    if constexpr (!std::is_same_v<T, float>) {
      da = reinterpret_cast<T*>(take((rows * n + 1) / 2));
      dtext = take(n * d);
    } else {
      da = products;
    }
    workspace = take(most_workspace(n, d, rows));
  }

  // The last chunk may be shorter, and shorter products may be cut into more pieces.
  static int64_t most_workspace(int64_t n, int64_t d, int64_t rows) {
    int64_t most = 0;
    for (const int64_t m : {rows, n % rows})
      if (m > 0)
        for (const GemmShape& shape : {GemmShape{m, n, d}, GemmShape{m, d, n}, GemmShape{n, d, m}})
          most = std::max(most, gemm_workspace(shape));
    return most;
  }

  float *scale, *products;
  float *by_pair, *sums;   // [n]
  T* da = nullptr;         // [chunk, n]; in float it takes the place of the products
  float* dtext = nullptr;  // [n, d], for T that cannot hold a sum
  float* workspace;
  int64_t size = 0;
};

// work(block) for every chunk of rows, with its products.
template <class T, class S, class Work>
void for_each_block(Stream stream, const ContrastivePairs<T, S>& pairs, const ContrastiveScratch<T>& scratch,
                    const Work& work) {
  launch<contrastive_scale_kernel<S>>(stream, {}, pairs.log_scale, scratch.scale);
  const int64_t most_rows = std::min(pairs.chunk, pairs.n);
  for (int64_t begin = 0; begin < pairs.n; begin += most_rows) {
    const int64_t rows = std::min(most_rows, pairs.n - begin);
    gemm<T, float>(stream, {rows, pairs.n, pairs.d}, {pairs.image + begin * pairs.d, pairs.d},
                   {pairs.text, pairs.d, true}, {scratch.products, pairs.n}, {}, scratch.workspace);
    work(ProductBlock{scratch.products, scratch.scale, begin, rows, pairs.n});
  }
}

}  // namespace

template <class T>
int64_t contrastive_scratch_size(int64_t n, int64_t d, int64_t chunk) {
  return ContrastiveScratch<T>(nullptr, n, d, chunk).size;
}

template <class T, class S>
void contrastive_loss_forward(Stream stream, const ContrastivePairs<T, S>& pairs, float* scratch,
                              const ContrastiveResults& results) {
  const ContrastiveScratch<T> memory(scratch, pairs.n, pairs.d, pairs.chunk);
  float* const diagonal = memory.by_pair;
  for_each_block(stream, pairs, memory, [&](const ProductBlock& block) {
    launch<contrastive_rows_kernel>(stream, {.grid = {block.rows}, .block = kPassLanes}, block,
                                    results.row_lse, diagonal);
    launch<contrastive_columns_kernel>(
        stream,
        {.grid = {blocks_for(pairs.n, kWarpSize)}, .block = kPassLanes, .shared_bytes = kColumnShared}, block,
        results.column_lse, memory.sums);
  });
  launch<contrastive_means_kernel>(stream, {.block = kSumLanes}, static_cast<const float*>(results.row_lse),
                                   static_cast<const float*>(diagonal),
                                   static_cast<const float*>(memory.sums), pairs.n, results.column_lse,
                                   results.image_to_text, results.text_to_image, results.loss);
}

template <class T, class S>
void contrastive_loss_backward(Stream stream, const ContrastivePairs<T, S>& pairs, const float* row_lse,
                               const float* column_lse, const float* dloss, float* scratch,
                               const ContrastiveGradientResults<T, S>& gradients) {
  const auto [image, text, log_scale, n, d, chunk] = pairs;
  const ContrastiveScratch<T> memory(scratch, n, d, chunk);
  float* dtext = memory.dtext;
  if constexpr (std::is_same_v<T, float>) dtext = gradients.dtext;
  for_each_block(
      stream, pairs, memory, [&, image = image, text = text, n = n, d = d](const ProductBlock& block) {
        const T* const image_rows = image + block.begin * d;
        launch<contrastive_gradient_kernel<T>>(stream, {.grid = {block.rows}, .block = kPassLanes}, block,
                                               row_lse, column_lse, dloss, memory.da, memory.by_pair);
        gemm<T, T>(stream, {block.rows, d, n}, {memory.da, n}, {text, d},
                   {gradients.dimage + block.begin * d, d}, {}, memory.workspace);
        gemm<T, float>(stream, {n, d, block.rows}, {memory.da, n, true}, {image_rows, d},
                       {dtext, d, block.begin > 0 ? 1.0f : 0.0f}, {}, memory.workspace);
      });
  if constexpr (!std::is_same_v<T, float>)
    cast(stream, static_cast<const float*>(dtext), gradients.dtext, n * d);
  launch<contrastive_scale_gradient_kernel<S>>(
      stream, {.block = kSumLanes}, static_cast<const float*>(memory.by_pair), n, gradients.dlog_scale);
}

#define LIMOE_INSTANTIATE(T, S)                                                                              \
  template void contrastive_loss_forward(Stream, const ContrastivePairs<T, S>&, float*,                      \
                                         const ContrastiveResults&);                                         \
  template void contrastive_loss_backward(Stream, const ContrastivePairs<T, S>&, const float*, const float*, \
                                          const float*, float*, const ContrastiveGradientResults<T, S>&);

LIMOE_INSTANTIATE(float, float)
LIMOE_INSTANTIATE(bf16, float)
LIMOE_INSTANTIATE(bf16, bf16)
#undef LIMOE_INSTANTIATE

template int64_t contrastive_scratch_size<float>(int64_t, int64_t, int64_t);
template int64_t contrastive_scratch_size<bf16>(int64_t, int64_t, int64_t);

}  // namespace limoe::cuda
