#include "cuda/attention_mma.cuh"

namespace limoe::cuda {

namespace {

// The softmax of a lane's two rows, whose scores come in tiles; the four lanes of a row hold the same.
template <class Tile>
struct RunningSoftmax {
  float largest[2] = {Max::identity(), Max::identity()}, sum[2] = {};  // sum of exp(score - largest)

  // scores become exp(score - largest); out becomes relative to the new largest score as well.
  __device__ void add_scores(float (&scores)[Tile::kScores][4], float (&out)[Tile::kColumns][4]) {
    float most[2] = {Max::identity(), Max::identity()}, base[2], rescale[2], added[2] = {};
#pragma unroll
    for (int n = 0; n < Tile::kScores; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) most[i / 2] = Max::combine(most[i / 2], scores[n][i]);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      most[half] = Max::combine(largest[half], group_reduce<Max>(most[half], 4));
      base[half] = most[half] == -INFINITY ? 0.0f : most[half];  // no key so far
      rescale[half] = __expf(largest[half] - base[half]);
      largest[half] = most[half];
    }
#pragma unroll
    for (int n = 0; n < Tile::kScores; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        scores[n][i] = __expf(scores[n][i] - base[i / 2]);
        added[i / 2] += scores[n][i];
      }
#pragma unroll
    for (int half = 0; half < 2; ++half)
      sum[half] = sum[half] * rescale[half] + group_reduce<Sum>(added[half], 4);
#pragma unroll
    for (int n = 0; n < Tile::kColumns; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) out[n][i] *= rescale[i / 2];
  }
};

}  // namespace

// A block for every (tile of queries, head), a warp for 16 queries; it walks the tiles of keys.
template <class Tile>
__global__ void __launch_bounds__(Tile::kLanes, 1)
    attention_forward_mma_kernel(AttentionForward<bf16> of, HeadLayout layout,
                                 const __grid_constant__ RunBatch batch) {
  bf16* const q = dynamic_shared<bf16>();
  bf16* const k = q + Tile::kOwnedElements;
  bf16* const v = k + Tile::kOtherElements;
  const SequencePlace place = batch.place(int(blockIdx.x));
  const int head = int(blockIdx.y), first_row = place.tile * Tile::kOwned, width = layout.width;
  const int rows = rows_of_tile(place, first_row, Tile::kOwned);
  const bf16* const from = of.qkv + layout.in_qkv(place.first_token, head);
  Tile::template copy_rows<Tile::kOwned>(q, from + first_row * layout.stride, layout.stride, rows, width,
                                         nullptr);
  RunningSoftmax<Tile> softmax;
  float out[Tile::kColumns][4] = {};
  for (int first_key = 0; first_key < place.length; first_key += Tile::kOther) {
    const int keys = rows_of_tile(place, first_key, Tile::kOther);
    const bf16* const key = from + layout.columns + first_key * layout.stride;
    const int32_t* const valid = of.key_valid ? of.key_valid + place.first_token + first_key : nullptr;
    __syncthreads();  // the tiles before are read
    Tile::template copy_rows<Tile::kOther>(k, key, layout.stride, keys, width, valid);
    Tile::template copy_rows<Tile::kOther>(v, key + layout.columns, layout.stride, keys, width, valid);
    commit_copies();
    wait_for_copies<0>();
    __syncthreads();
    float scores[Tile::kScores][4];
    Tile::multiply_rows(q, k, scores);
#pragma unroll
    for (int n = 0; n < Tile::kScores; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const bool asked = is_key(of.key_valid, place, first_key + Tile::column_of(n, i));
        scores[n][i] = asked ? scores[n][i] * layout.score_scale : -INFINITY;
      }
    softmax.add_scores(scores, out);
    Tile::add_weighted_rows(scores, v, out);
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float sum = softmax.sum[half], share = sum == 0.0f ? 0.0f : 1.0f / sum;
#pragma unroll
    for (int n = 0; n < Tile::kColumns; ++n) {
      out[n][2 * half] *= share;
      out[n][2 * half + 1] *= share;
    }
    const int row = Tile::row_of(2 * half);
    if (lane_index() % 4 == 0 && row < rows)
      of.lse[(place.first_token + first_row + row) * layout.heads + head] =
          sum == 0.0f ? INFINITY : softmax.largest[half] + logf(sum);
  }
  Tile::store_rows(of.y + layout.in_y(place.first_token + first_row, head), layout.columns, rows, width, out);
}

namespace {

template <class Tile>
void launch_forward(Stream stream, const AttentionForward<bf16>& of, const AttentionSizes& sizes,
                    const HeadLayout& layout, int64_t shortest, int64_t longest) {
  constexpr size_t kShared = (Tile::kOwnedElements + 2 * Tile::kOtherElements) * sizeof(bf16);
  launch_attention<attention_forward_mma_kernel<Tile>>(
      stream, of, sizes, layout, {Tile::kOwned, Tile::kLanes, kShared, shortest, longest});
}

}  // namespace

void attention_forward_mma(Stream stream, const AttentionForward<bf16>& of, const AttentionSizes& sizes,
                           const HeadLayout& layout) {
  with_head_width(sizes.head_width, [&]<int kWidth>() {
    launch_forward<MmaTile<16, 16, kWidth>>(stream, of, sizes, layout, 1, 16);
    launch_forward<MmaTile<32, 32, kWidth>>(stream, of, sizes, layout, 17, 32);
    launch_forward<MmaTile<64, 64, kWidth>>(stream, of, sizes, layout, 33, INT64_MAX);
  });
}

}  // namespace limoe::cuda
