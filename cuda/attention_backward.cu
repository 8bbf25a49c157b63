#include <type_traits>

#include "cuda/attention.h"
#include "cuda/attention_mma.cuh"
#include "cuda/attention_tile.cuh"
#include "cuda/cudnn_choice.h"
#include "cuda/row_groups.cuh"
#include "cuda/vendor_cudnn.h"

namespace limoe::cuda {

// A group of lanes for every (token, head): delta = dy . y.
template <class T>
__global__ void attention_deltas_kernel(const T* y, const T* dy, float* deltas, Rows rows, int lanes) {
  const RowGroup group(rows, lanes);
  float sum = 0;
  group.for_each_column([&](int64_t at) { sum += load(y + at) * load(dy + at); });
  sum = group_reduce<Sum>(sum, lanes);
  if (group.lane == 0 && group.row < rows.count) deltas[group.row] = sum;
}

// The probabilities and dscores of one tile in this lane's rows and columns: put(query, key, p, ds).
template <class Tile, class T, class Put>
__device__ inline void for_each_score(const AttentionBackward<T>& of, const HeadLayout& layout,
                                      const SequencePlace& place, int first_row, int first_key,
                                      const float* q, const float* dy, const float* k, const float* v,
                                      const Put& put) {
  constexpr int kEach = Tile::kEach;
  float scores[kEach][kEach], dp[kEach][kEach];
  Tile::multiply_rows(q, k, scores);
  Tile::multiply_rows(dy, v, dp);
#pragma unroll
  for (int i = 0; i < kEach; ++i) {
    const int row = first_row + Tile::row_of(i);
    const int64_t at = (place.first_token + row) * layout.heads + blockIdx.y;
    const float lse = row < place.length ? of.lse[at] : INFINITY;
    const float delta = row < place.length ? of.deltas[at] : 0.0f;
#pragma unroll
    for (int j = 0; j < kEach; ++j) {
      const bool asked = is_key(of.key_valid, place, first_key + Tile::column_of(j));
      const float p = asked ? expf(scores[i][j] * layout.score_scale - lse) : 0.0f;
      put(Tile::row_of(i), Tile::column_of(j), p, p * (dp[i][j] - delta) * layout.score_scale);
    }
  }
}

// A block for every (tile of keys, head): dk and dv; it walks the tiles of queries. kWhole: the sequence is
// one tile, and dq is made as well.
template <class T, class Tile, bool kWhole>
__global__ void __launch_bounds__(Tile::kLanes, 1)
    attention_backward_keys_kernel(AttentionBackward<T> of, HeadLayout layout,
                                   const __grid_constant__ RunBatch batch) {
  float* const q = dynamic_shared<float>();
  float* const dy = q + Tile::kRowsFloats;
  float* const k = dy + Tile::kRowsFloats;
  float* const v = k + Tile::kRowsFloats;
  float* const p = v + Tile::kRowsFloats;  // p and ds by key
  float* const ds = p + Tile::kScoreFloats;
  const SequencePlace place = batch.place(int(blockIdx.x));
  const int head = int(blockIdx.y), first_key = place.tile * Tile::kTile;
  const int keys = rows_of_tile(place, first_key, Tile::kTile);
  const int64_t at = layout.in_qkv(place.first_token, head),
                at_key = at + layout.columns + first_key * layout.stride;
  const int32_t* const valid = of.key_valid ? of.key_valid + place.first_token + first_key : nullptr;
  Tile::load_rows(k, of.qkv + at_key, layout.stride, keys, layout, valid);
  Tile::load_rows(v, of.qkv + at_key + layout.columns, layout.stride, keys, layout, valid);
  float dk[Tile::kEach][Tile::kColumns] = {}, dv[Tile::kEach][Tile::kColumns] = {};
  for (int first_row = 0; first_row < place.length; first_row += Tile::kTile) {
    const int rows = rows_of_tile(place, first_row, Tile::kTile);
    if (!kWhole) __syncthreads();  // the tiles before are read
    Tile::load_rows(q, of.qkv + at + first_row * layout.stride, layout.stride, rows, layout, nullptr);
    Tile::load_rows(dy, of.dy + layout.in_y(place.first_token + first_row, head), layout.columns, rows,
                    layout, nullptr);
    __syncthreads();
    for_each_score<Tile>(of, layout, place, first_row, first_key, q, dy, k, v,
                         [&](int query, int key, float weight, float dscore) {
                           p[key * Tile::kScoreStride + query] = weight;
                           ds[key * Tile::kScoreStride + query] = dscore;
                         });
    __syncthreads();
    Tile::add_weighted_rows(p, dy, dv);
    Tile::add_weighted_rows(ds, q, dk);
  }
  Tile::store_rows(of.dqkv + at_key, layout.stride, keys, layout.width, dk);
  Tile::store_rows(of.dqkv + at_key + layout.columns, layout.stride, keys, layout.width, dv);
  if constexpr (kWhole) {
    float dq[Tile::kEach][Tile::kColumns] = {};
    Tile::add_weighted_rows_transposed(ds, k, dq);
    Tile::store_rows(of.dqkv + at, layout.stride, place.length, layout.width, dq);
  }
}

// A block for every (tile of queries, head): dq; it walks the tiles of keys.
template <class T, class Tile>
__global__ void __launch_bounds__(Tile::kLanes, 1)
    attention_backward_queries_kernel(AttentionBackward<T> of, HeadLayout layout,
                                      const __grid_constant__ RunBatch batch) {
  float* const q = dynamic_shared<float>();
  float* const dy = q + Tile::kRowsFloats;
  float* const k = dy + Tile::kRowsFloats;
  float* const v = k + Tile::kRowsFloats;
  float* const ds = v + Tile::kRowsFloats;  // by query
  const SequencePlace place = batch.place(int(blockIdx.x));
  const int head = int(blockIdx.y), first_row = place.tile * Tile::kTile;
  const int rows = rows_of_tile(place, first_row, Tile::kTile);
  const int64_t at = layout.in_qkv(place.first_token, head), at_row = at + first_row * layout.stride;
  Tile::load_rows(q, of.qkv + at_row, layout.stride, rows, layout, nullptr);
  Tile::load_rows(dy, of.dy + layout.in_y(place.first_token + first_row, head), layout.columns, rows, layout,
                  nullptr);
  float dq[Tile::kEach][Tile::kColumns] = {};
  for (int first_key = 0; first_key < place.length; first_key += Tile::kTile) {
    const int keys = rows_of_tile(place, first_key, Tile::kTile);
    const T* const key = of.qkv + at + layout.columns + first_key * layout.stride;
    const int32_t* const valid = of.key_valid ? of.key_valid + place.first_token + first_key : nullptr;
    __syncthreads();  // the tiles before are read
    Tile::load_rows(k, key, layout.stride, keys, layout, valid);
    Tile::load_rows(v, key + layout.columns, layout.stride, keys, layout, valid);
    __syncthreads();
    for_each_score<Tile>(of, layout, place, first_row, first_key, q, dy, k, v,
                         [&](int query, int key_row, float, float dscore) {
                           ds[query * Tile::kScoreStride + key_row] = dscore;
                         });
    __syncwarp();  // a row of ds is written and read by one warp
    Tile::add_weighted_rows(ds, k, dq);
  }
  Tile::store_rows(of.dqkv + at_row, layout.stride, rows, layout.width, dq);
}

namespace {

template <class Tile>
constexpr size_t shared_bytes(int score_tiles) {
  return size_t(4 * Tile::kRowsFloats + score_tiles * Tile::kScoreFloats) * sizeof(float);
}

template <class Tile, class T>
void backward_whole(Stream stream, const AttentionBackward<T>& of, const AttentionSizes& sizes,
                    const HeadLayout& layout, int64_t shortest) {
  launch_attention<attention_backward_keys_kernel<T, Tile, true>>(
      stream, of, sizes, layout, {Tile::kTile, Tile::kLanes, shared_bytes<Tile>(2), shortest, Tile::kTile});
}

template <class Tile, class T>
void backward_in_tiles(Stream stream, const AttentionBackward<T>& of, const AttentionSizes& sizes,
                       const HeadLayout& layout) {
  constexpr int64_t kShortest = Tile::kTile + 1;
  launch_attention<attention_backward_keys_kernel<T, Tile, false>>(
      stream, of, sizes, layout, {Tile::kTile, Tile::kLanes, shared_bytes<Tile>(2), kShortest, INT64_MAX});
  launch_attention<attention_backward_queries_kernel<T, Tile>>(
      stream, of, sizes, layout, {Tile::kTile, Tile::kLanes, shared_bytes<Tile>(1), kShortest, INT64_MAX});
}

int64_t token_count(const AttentionSizes& sizes) {
  int64_t tokens = 0;
  for (int i = 0; i < sizes.run_count; ++i) tokens += sizes.runs[i].count * sizes.runs[i].length;
  return tokens;
}

}  // namespace

template <class T>
void attention_backward(Stream stream, const AttentionBackward<T>& of, const AttentionSizes& sizes) {
  const HeadLayout layout = head_layout<T>(sizes, of.qkv, of.dy, of.dqkv);
  const Rows rows{token_count(sizes) * sizes.heads, sizes.head_width};
  if (rows.count == 0) return;
  if (cudnn_chosen(CudnnOp::attention) && cudnn_attention_backward(stream, of, sizes)) return;
  launch<attention_deltas_kernel<T>>(stream, row_groups_shape(rows), of.y, of.dy, of.deltas, rows,
                                     lanes_of_row(rows.width));
  if constexpr (std::is_same_v<T, bf16>)
    if (layout.packed) return attention_backward_mma(stream, of, sizes, layout);
  with_head_width(sizes.head_width, [&]<int kWidth>() {
    backward_whole<AttentionTile<16, 8, kWidth>>(stream, of, sizes, layout, 1);
    backward_whole<AttentionTile<32, 16, kWidth>>(stream, of, sizes, layout, 17);
    if constexpr (kWidth <= 64) {
      backward_whole<AttentionTile<64, 16, kWidth>>(stream, of, sizes, layout, 33);
      backward_in_tiles<AttentionTile<64, 16, kWidth>>(stream, of, sizes, layout);
    } else {
      // Of 64 rows, four tiles and the scores would not fit into shared memory.
      backward_in_tiles<AttentionTile<32, 16, kWidth>>(stream, of, sizes, layout);
    }
  });
}

template void attention_backward(Stream, const AttentionBackward<float>&, const AttentionSizes&);
template void attention_backward(Stream, const AttentionBackward<bf16>&, const AttentionSizes&);

}  // namespace limoe::cuda
