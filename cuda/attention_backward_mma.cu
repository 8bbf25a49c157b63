#include "cuda/attention_mma.cuh"

namespace limoe::cuda {

namespace {

// scores and dp, by key and query, become p and ds; lse and deltas [kOther] are those of the queries.
template <class Tile>
__device__ inline void score_gradients(const AttentionBackward<bf16>& of, const HeadLayout& layout,
                                       const SequencePlace& place, int first_key, const float* lse,
                                       const float* deltas, float (&scores)[Tile::kScores][4],
                                       float (&dscores)[Tile::kScores][4]) {
#pragma unroll
  for (int n = 0; n < Tile::kScores; ++n)
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int row = Tile::column_of(n, i);
      const bool asked = is_key(of.key_valid, place, first_key + Tile::row_of(i));
      const float p = asked ? __expf(scores[n][i] * layout.score_scale - lse[row]) : 0.0f;
      scores[n][i] = p;
      dscores[n][i] = asked ? p * (dscores[n][i] - deltas[row]) * layout.score_scale : 0.0f;
    }
}

}  // namespace

// A block for every (tile of keys, head), a warp for 16 keys: dk and dv; it walks the tiles of queries.
// kWhole: the sequence is one tile, and dq is made as well.
template <class Tile, bool kWhole>
__global__ void __launch_bounds__(Tile::kLanes, 1)
    attention_backward_keys_mma_kernel(AttentionBackward<bf16> of, HeadLayout layout,
                                       const __grid_constant__ RunBatch batch) {
  float* const lse = dynamic_shared<float>();
  float* const deltas = lse + Tile::kOther;
  bf16* const k = reinterpret_cast<bf16*>(deltas + Tile::kOther);
  bf16* const v = k + Tile::kOwnedElements;
  bf16* const q = v + Tile::kOwnedElements;
  bf16* const dy = q + Tile::kOtherElements;
  const SequencePlace place = batch.place(int(blockIdx.x));
  const int head = int(blockIdx.y), first_key = place.tile * Tile::kOwned, width = layout.width;
  const int keys = rows_of_tile(place, first_key, Tile::kOwned);
  const int64_t at = layout.in_qkv(place.first_token, head);
  const int64_t at_key = at + layout.columns + first_key * layout.stride;
  const int32_t* const valid = of.key_valid ? of.key_valid + place.first_token + first_key : nullptr;
  Tile::template copy_rows<Tile::kOwned>(k, of.qkv + at_key, layout.stride, keys, width, valid);
  Tile::template copy_rows<Tile::kOwned>(v, of.qkv + at_key + layout.columns, layout.stride, keys, width,
                                         valid);
  float dk[Tile::kColumns][4] = {}, dv[Tile::kColumns][4] = {};
  float scores[Tile::kScores][4], dscores[Tile::kScores][4];  // by key and query
  for (int first_row = 0; first_row < place.length; first_row += Tile::kOther) {
    const int rows = rows_of_tile(place, first_row, Tile::kOther);
    const int64_t token = place.first_token + first_row;
    if (!kWhole) __syncthreads();  // the tiles before are read
    Tile::template copy_rows<Tile::kOther>(q, of.qkv + at + first_row * layout.stride, layout.stride, rows,
                                           width, nullptr);
    Tile::template copy_rows<Tile::kOther>(dy, of.dy + layout.in_y(token, head), layout.columns, rows, width,
                                           nullptr);
    commit_copies();
    for (int row = int(threadIdx.x); row < Tile::kOther; row += Tile::kLanes) {
      lse[row] = row < rows ? of.lse[(token + row) * layout.heads + head] : INFINITY;
      deltas[row] = row < rows ? of.deltas[(token + row) * layout.heads + head] : 0.0f;
    }
    wait_for_copies<0>();
    __syncthreads();
    Tile::multiply_rows(k, q, scores);
    Tile::multiply_rows(v, dy, dscores);
    score_gradients<Tile>(of, layout, place, first_key, lse, deltas, scores, dscores);
    Tile::add_weighted_rows(scores, dy, dv);
    Tile::add_weighted_rows(dscores, q, dk);
  }
  Tile::store_rows(of.dqkv + at_key, layout.stride, keys, width, dk);
  Tile::store_rows(of.dqkv + at_key + layout.columns, layout.stride, keys, width, dv);
  if constexpr (kWhole) {
    bf16* const ds = dy + Tile::kOtherElements;  // [keys, queries]
#pragma unroll
    for (int n = 0; n < Tile::kScores; ++n)
#pragma unroll
      for (int i = 0; i < 4; i += 2)
        *reinterpret_cast<unsigned*>(ds + Tile::row_of(i) * Tile::kScorePitch + Tile::column_of(n, i)) =
            pack_pair(dscores[n][i], dscores[n][i + 1]);
    __syncthreads();
    float dq[Tile::kColumns][4] = {};
    Tile::add_weighted_rows_transposed(ds, k, dq);
    Tile::store_rows(of.dqkv + at, layout.stride, place.length, width, dq);
  }
}

// A block for every (tile of queries, head), a warp for 16 queries: dq; it walks the tiles of keys.
template <class Tile>
__global__ void __launch_bounds__(Tile::kLanes, 1)
    attention_backward_queries_mma_kernel(AttentionBackward<bf16> of, HeadLayout layout,
                                          const __grid_constant__ RunBatch batch) {
  bf16* const q = dynamic_shared<bf16>();
  bf16* const dy = q + Tile::kOwnedElements;
  bf16* const k = dy + Tile::kOwnedElements;
  bf16* const v = k + Tile::kOtherElements;
  const SequencePlace place = batch.place(int(blockIdx.x));
  const int head = int(blockIdx.y), first_row = place.tile * Tile::kOwned, width = layout.width;
  const int rows = rows_of_tile(place, first_row, Tile::kOwned);
  const int64_t token = place.first_token + first_row, at = layout.in_qkv(place.first_token, head);
  const int64_t at_row = at + first_row * layout.stride;
  Tile::template copy_rows<Tile::kOwned>(q, of.qkv + at_row, layout.stride, rows, width, nullptr);
  Tile::template copy_rows<Tile::kOwned>(dy, of.dy + layout.in_y(token, head), layout.columns, rows, width,
                                         nullptr);
  float lse[2], deltas[2], dq[Tile::kColumns][4] = {};
  for (int half = 0; half < 2; ++half) {
    const int row = Tile::row_of(2 * half);
    lse[half] = row < rows ? of.lse[(token + row) * layout.heads + head] : INFINITY;
    deltas[half] = row < rows ? of.deltas[(token + row) * layout.heads + head] : 0.0f;
  }
  for (int first_key = 0; first_key < place.length; first_key += Tile::kOther) {
    const int keys = rows_of_tile(place, first_key, Tile::kOther);
    const bf16* const key = of.qkv + at + layout.columns + first_key * layout.stride;
    const int32_t* const valid = of.key_valid ? of.key_valid + place.first_token + first_key : nullptr;
    __syncthreads();  // the tiles before are read
    Tile::template copy_rows<Tile::kOther>(k, key, layout.stride, keys, width, valid);
    Tile::template copy_rows<Tile::kOther>(v, key + layout.columns, layout.stride, keys, width, valid);
    commit_copies();
    wait_for_copies<0>();
    __syncthreads();
    float scores[Tile::kScores][4], dscores[Tile::kScores][4];
    Tile::multiply_rows(q, k, scores);
    Tile::multiply_rows(dy, v, dscores);
#pragma unroll
    for (int n = 0; n < Tile::kScores; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const bool asked = is_key(of.key_valid, place, first_key + Tile::column_of(n, i));
        const float p = asked ? __expf(scores[n][i] * layout.score_scale - lse[i / 2]) : 0.0f;
        dscores[n][i] = p * (dscores[n][i] - deltas[i / 2]) * layout.score_scale;
      }
    Tile::add_weighted_rows(dscores, k, dq);
  }
  Tile::store_rows(of.dqkv + at_row, layout.stride, rows, width, dq);
}

namespace {

template <class Tile>
constexpr size_t shared_bytes() {
  return size_t(2 * Tile::kOwnedElements + 2 * Tile::kOtherElements) * sizeof(bf16);
}
template <class Tile>
constexpr size_t shared_bytes_of_keys() {
  return shared_bytes<Tile>() + 2 * Tile::kOther * sizeof(float);
}

template <class Tile>
void backward_whole(Stream stream, const AttentionBackward<bf16>& of, const AttentionSizes& sizes,
                    const HeadLayout& layout, int64_t shortest) {
  constexpr size_t kShared = shared_bytes_of_keys<Tile>() + Tile::kOwned * Tile::kScorePitch * sizeof(bf16);
  launch_attention<attention_backward_keys_mma_kernel<Tile, true>>(
      stream, of, sizes, layout, {Tile::kOwned, Tile::kLanes, kShared, shortest, Tile::kOwned});
}

template <class Tile>
void backward_in_tiles(Stream stream, const AttentionBackward<bf16>& of, const AttentionSizes& sizes,
                       const HeadLayout& layout, int64_t shortest) {
  launch_attention<attention_backward_keys_mma_kernel<Tile, false>>(
      stream, of, sizes, layout,
      {Tile::kOwned, Tile::kLanes, shared_bytes_of_keys<Tile>(), shortest, INT64_MAX});
  launch_attention<attention_backward_queries_mma_kernel<Tile>>(
      stream, of, sizes, layout, {Tile::kOwned, Tile::kLanes, shared_bytes<Tile>(), shortest, INT64_MAX});
}

}  // namespace

void attention_backward_mma(Stream stream, const AttentionBackward<bf16>& of, const AttentionSizes& sizes,
                            const HeadLayout& layout) {
  with_head_width(sizes.head_width, [&]<int kWidth>() {
    backward_whole<MmaTile<16, 16, kWidth>>(stream, of, sizes, layout, 1);
    backward_whole<MmaTile<32, 32, kWidth>>(stream, of, sizes, layout, 17);
    if constexpr (kWidth <= 64) {
      backward_whole<MmaTile<64, 64, kWidth>>(stream, of, sizes, layout, 33);
      backward_in_tiles<MmaTile<64, 64, kWidth>>(stream, of, sizes, layout, 65);
    } else {
      // Scores of 64 would not fit into the registers beside dk and dv.
      backward_in_tiles<MmaTile<64, 32, kWidth>>(stream, of, sizes, layout, 33);
    }
  });
}

}  // namespace limoe::cuda
