#include "cuda/elementwise.cuh"
#include "cuda/moe_route.h"
#include "cuda/prefix_sum.cuh"
#include "cuda/radix_sort.h"
#include "cuda/segment.cuh"

namespace limoe::cuda {
namespace {

constexpr int kRouteLanes = 256;
constexpr int kOffsetLanes = 1024;

__device__ inline bool is_routed(int group, int64_t groups) {
  return group >= 0 && group < groups;
}

// How many choices of a group an expert takes, of `tokens` tokens; at most all of them.
__device__ inline int capacity_of(int tokens, const RouteSizes& sizes, const RouteCapacity& capacity) {
  if (tokens == 0 || capacity.factor == 0) return tokens;
  const double wanted = double(tokens) * double(sizes.choices) * capacity.factor / double(sizes.experts);
  const double rounded = capacity.round_half_even ? rint(wanted) : ceil(wanted);
  if (rounded < 1) return 0;
  if (rounded >= double(tokens)) return tokens;
  const int64_t multiples = (int64_t(rounded) + capacity.multiple - 1) / capacity.multiple;
  return multiples > tokens / capacity.multiple ? tokens : int(multiples * capacity.multiple);
}

}  // namespace

// A segment a token: expert_of = its experts, and its key in the queue, the surest first.
template <class T>
__global__ void route_choose_kernel(const T* probs, const int32_t* group_of, RouteSizes sizes,
                                    int32_t* expert_of, uint32_t* keys, int32_t* queue) {
  const int experts = int(sizes.experts), choices = int(sizes.choices);
  const Segment segment = segment_for(experts);
  const int64_t token = first_item() / segment.width;
  const bool inside = token < sizes.tokens, routed = inside && is_routed(group_of[token], sizes.groups);
  const T* const row = probs + (inside ? token : 0) * experts;
  uint64_t rank = kAboveAll;
  for (int k = 0; k < choices; ++k) {
    rank = next_largest(segment, row, experts, rank);
    if (!inside || segment.lane != 0) continue;
    expert_of[token * choices + k] = routed ? index_of_ranked(rank) : -1;
    if (k > 0) continue;
    keys[token] = routed ? ~uint32_t(rank >> 32) : 0xffffffffu;
    queue[token] = int32_t(token);
  }
}

// A lane a choice, all first ones in queue order, then all second ones: keys = (expert, group), those of
// tokens that are not routed behind all others.
__global__ void route_line_up_kernel(const int32_t* queue, const int32_t* group_of, const int32_t* expert_of,
                                     RouteSizes sizes, uint32_t* keys, int32_t* choice_at) {
  for (int64_t i = first_item(); i < sizes.tokens * sizes.choices; i += item_stride()) {
    const int64_t k = i / sizes.tokens, token = queue[i - k * sizes.tokens],
                  choice = token * sizes.choices + k;
    const int32_t expert = expert_of[choice];
    keys[i] = uint32_t(expert < 0 ? sizes.experts * sizes.groups : expert * sizes.groups + group_of[token]);
    choice_at[i] = int32_t(choice);
  }
}

// A lane a run: run_begin[run] = the first place in the sorted keys that is not below run.
__global__ void route_runs_kernel(const uint32_t* keys, int64_t count, int64_t runs, int32_t* run_begin) {
  for (int64_t run = first_item(); run <= runs; run += item_stride()) {
    int64_t low = 0, high = count;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (int64_t(keys[middle]) < run)
        low = middle + 1;
      else
        high = middle;
    }
    run_begin[run] = int32_t(low);
  }
}

// One block: capacities by group, then the first row of every run and of every expert.
__global__ void route_offsets_kernel(const int32_t* run_begin, RouteSizes sizes, RouteCapacity capacity,
                                     int32_t* group_capacity, int32_t* run_row, int32_t* row_begin) {
  int* const scratch = dynamic_shared<int>();
  const int groups = int(sizes.groups), lanes = int(blockDim.x);
  for (int group = int(threadIdx.x); group < groups; group += lanes) {
    int chosen = 0;
    for (int expert = 0; expert < sizes.experts; ++expert) {
      const int32_t* const run = run_begin + int64_t(expert) * groups + group;
      chosen += run[1] - run[0];
    }
    group_capacity[group] = capacity_of(chosen / int(sizes.choices), sizes, capacity);
  }
  __syncthreads();
  const int64_t runs = sizes.experts * groups;
  int carried = 0;
  for (int64_t first = 0; first < runs; first += lanes) {
    const int64_t run = first + threadIdx.x;
    const int group = run < runs ? int(run % groups) : 0;
    const int chosen = run < runs ? run_begin[run + 1] - run_begin[run] : 0;
    const int kept = run < runs && chosen > group_capacity[group] ? group_capacity[group] : chosen;
    const PrefixSum sum = block_prefix_sum(kept, scratch);
    if (run < runs) {
      run_row[run] = carried + sum.before;
      if (group == 0) row_begin[run / groups] = carried + sum.before;
    }
    carried += sum.total;
  }
  if (groups == 0)
    for (int expert = int(threadIdx.x); expert < sizes.experts; expert += lanes) row_begin[expert] = 0;
  if (threadIdx.x == 0) row_begin[sizes.experts] = carried;
}

// A lane a choice in sorted order: its row, and the way back; the rows nobody uses lead nowhere.
__global__ void route_place_kernel(const uint32_t* keys, const int32_t* choice_at, const int32_t* run_begin,
                                   const int32_t* group_capacity, const int32_t* run_row, RouteSizes sizes,
                                   const int32_t* row_begin, int32_t* row_of, int32_t* choice_of) {
  const int64_t runs = sizes.experts * sizes.groups;
  for (int64_t i = first_item(); i < sizes.tokens * sizes.choices; i += item_stride()) {
    const int64_t run = keys[i];
    const int slot = run < runs ? int(i) - run_begin[run] : 0;
    const bool kept = run < runs && slot < group_capacity[run % sizes.groups];
    const int32_t choice = choice_at[i], row = kept ? run_row[run] + slot : -1;
    row_of[choice] = row;
    if (kept) choice_of[row] = choice;
    if (i >= row_begin[sizes.experts]) choice_of[i] = -1;
  }
}

namespace {

int bits_of(int64_t largest) {
  int bits = 0;
  while (largest >> bits) ++bits;
  return bits;
}

// What the kernels pass on to each other, cut from one scratch buffer.
struct RouteScratch {
  RouteScratch(int32_t* memory, const RouteSizes& sizes) {
    const int64_t pairs = sizes.tokens * sizes.choices, runs = sizes.experts * sizes.groups;
    const auto take = [&](int64_t count) {
      int32_t* const taken = memory ? memory + size : nullptr;
      size += count;
      return taken;
    };
    for (uint32_t*& keys : sort.keys) keys = reinterpret_cast<uint32_t*>(take(pairs));
    for (int32_t*& values : sort.values) values = take(pairs);
    sort.counts = take(sort_count_size(pairs));
    queue = take(sizes.tokens);
    run_begin = take(runs + 1);
    run_row = take(runs);
    group_capacity = take(sizes.groups);
  }

  SortArrays sort{};
  int32_t *queue, *run_begin, *run_row, *group_capacity;
  int64_t size = 0;
};

}  // namespace

int64_t route_scratch_size(const RouteSizes& sizes) {
  return RouteScratch(nullptr, sizes).size;
}

template <class T>
void moe_route(Stream stream, const T* probs, const int32_t* group_of, const RouteSizes& sizes,
               const RouteCapacity& capacity, bool batch_priority, int32_t* scratch,
               const RouteTables& tables) {
  const RouteScratch s(scratch, sizes);
  const int64_t pairs = sizes.tokens * sizes.choices, runs = sizes.experts * sizes.groups;
  narrow("moe_route: experts * groups", runs + 1);
  const uint32_t* keys = s.sort.keys[0];
  const int32_t* choice_at = s.sort.values[0];
  if (pairs > 0) {
    const int64_t lanes = sizes.tokens * segment_width(narrow("moe_route: experts", sizes.experts));
    launch<route_choose_kernel<T>>(stream, {.grid = {blocks_for(lanes, kRouteLanes)}, .block = kRouteLanes},
                                   probs, group_of, sizes, tables.expert_of, s.sort.keys[0], s.queue);
    const int32_t* queue = s.queue;
    if (batch_priority) {
      const SortArrays tokens{{s.sort.keys[0], s.sort.keys[1]}, {s.queue, s.sort.values[1]}, s.sort.counts};
      queue = tokens.values[radix_sort(stream, tokens, sizes.tokens, 32)];
    }
    launch<route_line_up_kernel>(stream, elementwise_shape(pairs), queue, group_of,
                                 static_cast<const int32_t*>(tables.expert_of), sizes, s.sort.keys[0],
                                 s.sort.values[0]);
    const int sorted = radix_sort(stream, s.sort, pairs, bits_of(runs));
    keys = s.sort.keys[sorted];
    choice_at = s.sort.values[sorted];
  }
  launch<route_runs_kernel>(stream, elementwise_shape(runs + 1), keys, pairs, runs, s.run_begin);
  const int32_t* const run_begin = s.run_begin;
  launch<route_offsets_kernel>(stream, {.block = kOffsetLanes, .shared_bytes = kPrefixScratch * sizeof(int)},
                               run_begin, sizes, capacity, s.group_capacity, s.run_row, tables.row_begin);
  if (pairs == 0) return;
  launch<route_place_kernel>(stream, elementwise_shape(pairs), keys, choice_at, run_begin,
                             static_cast<const int32_t*>(s.group_capacity),
                             static_cast<const int32_t*>(s.run_row), sizes,
                             static_cast<const int32_t*>(tables.row_begin), tables.row_of, tables.choice_of);
}

template void moe_route(Stream, const float*, const int32_t*, const RouteSizes&, const RouteCapacity&, bool,
                        int32_t*, const RouteTables&);
template void moe_route(Stream, const bf16*, const int32_t*, const RouteSizes&, const RouteCapacity&, bool,
                        int32_t*, const RouteTables&);

}  // namespace limoe::cuda
