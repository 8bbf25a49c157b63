#include "cuda/prefix_sum.cuh"
#include "cuda/radix_sort.h"

namespace limoe::cuda {
namespace {

constexpr int kDigitBits = 8, kDigits = 1 << kDigitBits;
constexpr int kSortLanes = kDigits;  // so that lane d looks after digit d
constexpr int kSortWarps = kSortLanes / kWarpSize;
constexpr int kRounds = 4;  // pairs a lane
constexpr int kTile = kSortLanes * kRounds;

// A warp's pairs lie together: pair `round` of lane l is the warp's number 32 * round + l.
__device__ inline int64_t pair_at(int round) {
  return int64_t(blockIdx.x) * kTile + warp_index() * kWarpSize * kRounds + round * kWarpSize + lane_index();
}

__device__ inline int digit_of(uint32_t key, int shift) {
  return int(key >> shift & (kDigits - 1));
}

// Which lanes of the warp hold the same digit as this one, among those that hold a pair.
__device__ inline unsigned lanes_with_digit(int digit, bool has_pair) {
  unsigned same = __ballot_sync(kAllLanes, has_pair);
  for (int bit = 0; bit < kDigitBits; ++bit) {
    const unsigned set = __ballot_sync(kAllLanes, digit >> bit & 1);
    same &= digit >> bit & 1 ? set : ~set;
  }
  return same;
}

}  // namespace

// A block a tile: counts[digit, tile] = how many of its keys have that digit.
__global__ void sort_count_kernel(const uint32_t* keys, int64_t count, int shift, int tiles,
                                  int32_t* counts) {
  int* const histogram = dynamic_shared<int>();
  histogram[threadIdx.x] = 0;
  __syncthreads();
  for (int round = 0; round < kRounds; ++round)
    if (const int64_t i = pair_at(round); i < count) atomicAdd(histogram + digit_of(keys[i], shift), 1);
  __syncthreads();
  counts[int64_t(threadIdx.x) * tiles + blockIdx.x] = histogram[threadIdx.x];
}

// A block a digit: its counts become the sums over the tiles before; totals[digit] = the sum over all.
__global__ void sort_scan_kernel(int tiles, int32_t* counts, int32_t* totals) {
  int* const scratch = dynamic_shared<int>();
  int32_t* const of_digit = counts + int64_t(blockIdx.x) * tiles;
  int carried = 0;
  for (int first = 0; first < tiles; first += int(blockDim.x)) {
    const int tile = first + int(threadIdx.x);
    const PrefixSum sum = block_prefix_sum(tile < tiles ? of_digit[tile] : 0, scratch);
    if (tile < tiles) of_digit[tile] = carried + sum.before;
    carried += sum.total;
  }
  if (threadIdx.x == 0) totals[blockIdx.x] = carried;
}

// A block a tile: every pair goes to the place of its digit, behind those that came before it.
__global__ void sort_place_kernel(const uint32_t* keys, const int32_t* values, int64_t count, int shift,
                                  int tiles, const int32_t* counts, const int32_t* totals, uint32_t* keys_out,
                                  int32_t* values_out) {
  int* const scratch = dynamic_shared<int>();
  int* const places = scratch + kPrefixScratch;  // [warp, digit]: first how many, then where to
  int* const own_places = places + warp_index() * kDigits;
  const int own_digit = int(threadIdx.x);
  int next =
      block_prefix_sum(totals[own_digit], scratch).before + counts[int64_t(own_digit) * tiles + blockIdx.x];
  for (int digit = lane_index(); digit < kDigits; digit += kWarpSize) own_places[digit] = 0;
  __syncwarp();  // the zeros, for the whole warp

  uint32_t key[kRounds];
  int rank[kRounds];  // among the warp's pairs of the same digit
#pragma unroll
  for (int round = 0; round < kRounds; ++round) {
    const int64_t i = pair_at(round);
    key[round] = i < count ? keys[i] : 0;
    const int digit = digit_of(key[round], shift);
    const unsigned same = lanes_with_digit(digit, i < count), before = same & ((1u << lane_index()) - 1);
    rank[round] = own_places[digit] + __popc(before);
    __syncwarp();
    if (i < count && before == 0) own_places[digit] += __popc(same);
    __syncwarp();  // the counts, for the next round
  }
  __syncthreads();
  for (int warp = 0; warp < kSortWarps; ++warp) {
    const int held = places[warp * kDigits + own_digit];
    places[warp * kDigits + own_digit] = next;
    next += held;
  }
  __syncthreads();
#pragma unroll
  for (int round = 0; round < kRounds; ++round)
    if (const int64_t i = pair_at(round); i < count) {
      const int place = own_places[digit_of(key[round], shift)] + rank[round];
      keys_out[place] = key[round];
      values_out[place] = values[i];
    }
}

int64_t sort_count_size(int64_t count) {
  return blocks_for(count, kTile) * kDigits + kDigits;
}

int radix_sort(Stream stream, const SortArrays& arrays, int64_t count, int bits) {
  if (count == 0) return 0;
  const int64_t tiles = blocks_for(count, kTile);
  const int tile_count = narrow("radix_sort: tiles", tiles);
  const int scan_lanes = tiles < kSortLanes ? int(blocks_for(tiles, kWarpSize)) * kWarpSize : kSortLanes;
  int32_t* const totals = arrays.counts + tiles * kDigits;
  constexpr size_t kScratchBytes = kPrefixScratch * sizeof(int);
  int from = 0;
  for (int shift = 0; shift < bits; shift += kDigitBits, from = 1 - from) {
    const uint32_t* const keys = arrays.keys[from];
    launch<sort_count_kernel>(stream,
                              {.grid = {tiles}, .block = kSortLanes, .shared_bytes = kDigits * sizeof(int)},
                              keys, count, shift, tile_count, arrays.counts);
    launch<sort_scan_kernel>(stream, {.grid = {kDigits}, .block = scan_lanes, .shared_bytes = kScratchBytes},
                             tile_count, arrays.counts, totals);
    launch<sort_place_kernel>(stream,
                              {.grid = {tiles},
                               .block = kSortLanes,
                               .shared_bytes = kScratchBytes + kSortWarps * kDigits * sizeof(int)},
                              keys, static_cast<const int32_t*>(arrays.values[from]), count, shift,
                              tile_count, static_cast<const int32_t*>(arrays.counts),
                              static_cast<const int32_t*>(totals), arrays.keys[1 - from],
                              arrays.values[1 - from]);
  }
  return from;
}

}  // namespace limoe::cuda
