#include <type_traits>

#include "cuda/attention.h"
#include "cuda/attention_mma.cuh"
#include "cuda/attention_tile.cuh"
#include "cuda/cudnn_choice.h"
#include "cuda/vendor_cudnn.h"

namespace limoe::cuda {

namespace {

// The softmax of one row whose scores come in tiles; all lanes of the row hold the same.
struct RunningSoftmax {
  float largest = Max::identity(), sum = 0;  // sum of exp(score - largest)

  // weights = exp(score - largest), 0 where nobody is asked, for a tile; out becomes relative to the new
  // largest score as well.
  template <class Tile>
  __device__ void add_scores(const float (&scores)[Tile::kEach], const bool (&asked)[Tile::kEach],
                             float scale, float* weights, float (&out)[Tile::kColumns]) {
    float most = Max::identity(), added = 0;
#pragma unroll
    for (int j = 0; j < Tile::kEach; ++j)
      if (asked[j]) most = Max::combine(most, scores[j] * scale);
    most = Max::combine(largest, group_reduce<Max>(most, Tile::kEdge));
    const float base = most == -INFINITY ? 0.0f : most;  // no key so far
#pragma unroll
    for (int j = 0; j < Tile::kEach; ++j) {
      const float weight = asked[j] ? expf(scores[j] * scale - base) : 0.0f;
      weights[Tile::column_of(j)] = weight;
      added += weight;
    }
    const float rescale = expf(largest - base);
    sum = sum * rescale + group_reduce<Sum>(added, Tile::kEdge);
    largest = most;
#pragma unroll
    for (int j = 0; j < Tile::kColumns; ++j) out[j] *= rescale;
  }

  __device__ float share() const {
    return sum == 0.0f ? 0.0f : 1.0f / sum;
  }
  __device__ float log_sum() const {
    return sum == 0.0f ? INFINITY : largest + logf(sum);
  }
};

}  // namespace

// A block for every (tile of queries, head); it walks the tiles of keys.
template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kLanes, 1)
    attention_forward_kernel(AttentionForward<T> of, HeadLayout layout,
                             const __grid_constant__ RunBatch batch) {
  constexpr int kEach = Tile::kEach;
  float* const q = dynamic_shared<float>();
  float* const k = q + Tile::kRowsFloats;
  float* const v = k + Tile::kRowsFloats;
  float* const p = v + Tile::kRowsFloats;
  const SequencePlace place = batch.place(int(blockIdx.x));
  const int head = int(blockIdx.y), first_row = place.tile * Tile::kTile;
  const int rows = rows_of_tile(place, first_row, Tile::kTile);
  const T* const from = of.qkv + layout.in_qkv(place.first_token, head);
  Tile::load_rows(q, from + first_row * layout.stride, layout.stride, rows, layout, nullptr);
  RunningSoftmax softmax[kEach];
  float out[kEach][Tile::kColumns] = {};
  for (int first_key = 0; first_key < place.length; first_key += Tile::kTile) {
    const int keys = rows_of_tile(place, first_key, Tile::kTile);
    const T* const key = from + layout.columns + first_key * layout.stride;
    const int32_t* const valid = of.key_valid ? of.key_valid + place.first_token + first_key : nullptr;
    __syncthreads();  // the tiles before are read
    Tile::load_rows(k, key, layout.stride, keys, layout, valid);
    Tile::load_rows(v, key + layout.columns, layout.stride, keys, layout, valid);
    __syncthreads();
    float scores[kEach][kEach];
    bool asked[kEach];
    Tile::multiply_rows(q, k, scores);
#pragma unroll
    for (int j = 0; j < kEach; ++j) asked[j] = is_key(of.key_valid, place, first_key + Tile::column_of(j));
#pragma unroll
    for (int i = 0; i < kEach; ++i)
      softmax[i].template add_scores<Tile>(scores[i], asked, layout.score_scale,
                                           p + Tile::row_of(i) * Tile::kScoreStride, out[i]);
    __syncwarp();  // a row of p is written and read by one warp
    Tile::add_weighted_rows(p, v, out);
  }
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const float share = softmax[i].share();
#pragma unroll
    for (int j = 0; j < Tile::kColumns; ++j) out[i][j] *= share;
    const int64_t token = place.first_token + first_row + Tile::row_of(i);
    if (Tile::lane_x() == 0 && Tile::row_of(i) < rows)
      of.lse[token * layout.heads + head] = softmax[i].log_sum();
  }
  Tile::store_rows(of.y + layout.in_y(place.first_token + first_row, head), layout.columns, rows,
                   layout.width, out);
}

namespace {

template <class Tile, class T>
void launch_forward(Stream stream, const AttentionForward<T>& of, const AttentionSizes& sizes,
                    const HeadLayout& layout, int64_t shortest, int64_t longest) {
  constexpr size_t kShared = (3 * Tile::kRowsFloats + Tile::kScoreFloats) * sizeof(float);
  launch_attention<attention_forward_kernel<T, Tile>>(
      stream, of, sizes, layout, {Tile::kTile, Tile::kLanes, kShared, shortest, longest});
}

}  // namespace

template <class T>
void attention_forward(Stream stream, const AttentionForward<T>& of, const AttentionSizes& sizes) {
  if (cudnn_chosen(CudnnOp::attention) && cudnn_attention_forward(stream, of, sizes)) return;
  const HeadLayout layout = head_layout<T>(sizes, of.qkv, of.y);
  if constexpr (std::is_same_v<T, bf16>)
    if (layout.packed) return attention_forward_mma(stream, of, sizes, layout);
  with_head_width(sizes.head_width, [&]<int kWidth>() {
    launch_forward<AttentionTile<16, 8, kWidth>>(stream, of, sizes, layout, 1, 16);
    launch_forward<AttentionTile<32, 16, kWidth>>(stream, of, sizes, layout, 17, 32);
    launch_forward<AttentionTile<64, 16, kWidth>>(stream, of, sizes, layout, 33, INT64_MAX);
  });
}

template void attention_forward(Stream, const AttentionForward<float>&, const AttentionSizes&);
template void attention_forward(Stream, const AttentionForward<bf16>&, const AttentionSizes&);

}  // namespace limoe::cuda
