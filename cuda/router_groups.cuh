// The kernels behind cuda/router_groups.h, written once for all router losses.
//
// A loss gives three small classes of its own:
//   Row       add(token, counted, segment, sums): what a token gives to the statistics of its group
//   Finish    operator()(group, count, sums): the group's loss, and what the gradient needs of it; a warp
//   Gradient  write(place, segment): the elements of one token's gradient
// Whole warps call them, a segment of lanes a token; a lane touches only the columns it owns.
#pragma once

#include "cuda/router_groups.h"
#include "cuda/segment.cuh"

namespace limoe::cuda {

inline constexpr int kRouterLanes = 256, kFinishLanes = 512;

// What lies where in the scratch memory.
struct RouterScratch {
  RouterScratch(float* memory, const RouterSizes& sizes)
      : loss(memory),
        count(loss + sizes.groups),
        filled(count + sizes.groups),
        coefficient(filled + 1),
        partials(coefficient + sizes.groups * sizes.experts) {}

  float *loss, *count;  // [G]
  float* filled;        // [1]: groups that hold a token
  float* coefficient;   // [G, E]: what a gradient needs
  float* partials;      // [G, shares, columns + 1]: the last column counts tokens
};

// Where the gradient of a token is written, and what it weighs there.
struct TokenPlace {
  int64_t token;  // a token that exists, also where the segment has none
  bool inside;    // the segment has a token
  bool counted;   // and it belongs to a group; else its gradient is 0
  int group;      // 0 unless counted
  float weight;   // of the group's loss in dy
  float count;    // tokens of the group
};

// Lanes of a block, at most `most`, whose segments hold `columns` sums each in shared memory.
inline int router_lanes(int most, int segment_lanes, int columns) {
  const int64_t bytes_a_warp = int64_t(kWarpSize / segment_lanes) * columns * int64_t(sizeof(float));
  int lanes = most;
  while (lanes > kWarpSize && lanes / kWarpSize * bytes_a_warp > int64_t(kFreeSharedBytes))
    lanes -= kWarpSize;
  return lanes;
}

// A block a (group, share): the share's tiles of 32 tokens a warp, of which those of the group are added.
template <class Row>
__global__ void router_partials_kernel(Row row, const int32_t* group_of, RouterSizes sizes, int shares,
                                       int columns, float* partials) {
  float* const sums = dynamic_shared<float>();
  const Segment segment = segment_for(int(sizes.experts));
  const int in_warp = segment.count(), width = columns + 1;
  float* const mine = sums + (warp_index() * in_warp + segment.index()) * width;
  for (int column = segment.lane; column < width; column += segment.width) mine[column] = 0;

  const int group = int(blockIdx.x) / shares, share = int(blockIdx.x) % shares;
  const unsigned of_round = in_warp == kWarpSize ? kAllLanes : (1u << in_warp) - 1;
  for (int64_t tile = share; tile * blockDim.x < sizes.tokens; tile += shares) {
    const int64_t first = tile * blockDim.x + warp_index() * kWarpSize, own = first + lane_index();
    const unsigned members = __ballot_sync(kAllLanes, own < sizes.tokens && group_of[own] == group);
    for (int round = 0; round < segment.width; ++round) {
      if ((members >> (round * in_warp) & of_round) == 0) continue;
      const int at = round * in_warp + segment.index();
      const bool counted = members >> at & 1;
      row.add(first + (counted ? at : __ffs(int(members)) - 1), counted, segment, mine);
      if (counted && segment.owns(columns)) mine[columns] += 1;
    }
  }
  __syncthreads();
  const int segments = int(blockDim.x) / segment.width;
  for (int column = int(threadIdx.x); column < width; column += int(blockDim.x)) {
    float sum = 0;
    for (int i = 0; i < segments; ++i) sum += sums[i * width + column];
    partials[int64_t(blockIdx.x) * width + column] = sum;
  }
}

// A block a group: segments add every so-maniest share, then they are added in order; one warp finishes.
template <class Finish>
__global__ void router_finish_kernel(Finish finish, int shares, int columns, RouterScratch scratch) {
  float* const sums = dynamic_shared<float>();
  const int width = columns + 1;
  const Segment segment = segment_for(width);
  const int segments = int(blockDim.x) / segment.width, own = int(threadIdx.x) / segment.width;
  const float* const partials = scratch.partials + int64_t(blockIdx.x) * shares * width;
  for (int column = segment.lane; column < width; column += segment.width) {
    float sum = 0;
    for (int share = own; share < shares; share += segments) sum += partials[int64_t(share) * width + column];
    sums[own * width + column] = sum;
  }
  __syncthreads();
  for (int column = int(threadIdx.x); column < width; column += int(blockDim.x))
    for (int i = 1; i < segments; ++i) sums[column] += sums[i * width + column];
  __syncthreads();
  if (warp_index() > 0) return;
  const float count = sums[columns];
  const float loss = count > 0 ? finish(int(blockIdx.x), count, sums) : 0.0f;
  if (lane_index() > 0) return;
  scratch.loss[blockIdx.x] = loss;
  scratch.count[blockIdx.x] = count;
}

// One block: the mean over the groups that hold a token, and how many do.
__global__ void router_mean_kernel(RouterScratch scratch, int groups, float* loss);

// A segment a token.
template <class Gradient>
__global__ void router_gradient_kernel(Gradient gradient, const int32_t* group_of, RouterSizes sizes,
                                       RouterScratch scratch, const float* dy) {
  const Segment segment = segment_for(int(sizes.experts));
  const int64_t token = (int64_t(blockIdx.x) * blockDim.x + threadIdx.x) / segment.width;
  TokenPlace place{token < sizes.tokens ? token : 0, token < sizes.tokens, false, 0, 0, 1};
  const int group = group_of[place.token];
  if (place.inside && group >= 0 && group < sizes.groups)
    place = {token, true, true, group, *dy / *scratch.filled, scratch.count[group]};
  gradient.write(place, segment);
}

void launch_router_mean(Stream stream, const RouterScratch& scratch, const RouterSizes& sizes, float* loss);

// (1) to (3): statistics of `columns` sums a group; `loss` may be null.
template <class Row, class Finish>
void run_router_loss(Stream stream, const Row& row, const Finish& finish, const int32_t* group_of,
                     const RouterSizes& sizes, int columns, const RouterScratch& scratch, float* loss) {
  const int shares = router_shares(sizes), width = columns + 1;
  const auto shape = [=](int64_t blocks, int most_lanes, int segment_lanes) {
    const int lanes = router_lanes(most_lanes, segment_lanes, width);
    return LaunchShape{.grid = {blocks},
                       .block = lanes,
                       .shared_bytes = size_t(lanes / segment_lanes) * size_t(width) * sizeof(float)};
  };
  if (sizes.groups > 0) {
    launch<router_partials_kernel<Row>>(
        stream, shape(sizes.groups * shares, kRouterLanes, segment_width(int(sizes.experts))), row, group_of,
        sizes, shares, columns, scratch.partials);
    launch<router_finish_kernel<Finish>>(stream, shape(sizes.groups, kFinishLanes, segment_width(width)),
                                         finish, shares, columns, scratch);
  }
  launch_router_mean(stream, scratch, sizes, loss);
}

// (4), after (1) to (3).
template <class Gradient>
void run_router_gradient(Stream stream, const Gradient& gradient, const int32_t* group_of,
                         const RouterSizes& sizes, const RouterScratch& scratch, const float* dy) {
  const int64_t lanes = sizes.tokens * segment_width(int(sizes.experts));
  if (lanes == 0) return;
  launch<router_gradient_kernel<Gradient>>(stream,
                                           {.grid = {blocks_for(lanes, kRouterLanes)}, .block = kRouterLanes},
                                           gradient, group_of, sizes, scratch, dy);
}

// dx[token, column] = value(column) for the columns this lane owns.
template <class T, class Value>
__device__ inline void write_row(T* dx, const TokenPlace& place, int columns, Segment segment,
                                 const Value& value) {
  if (!place.inside) return;
  for (int column = segment.lane; column < columns; column += segment.width)
    store(dx + place.token * columns + column, place.counted ? value(column) : 0.0f);
}

// What a loss without a gradient through its statistics has to finish: sums[0] / count.
struct MeanOfFirst {
  __device__ float operator()(int, float count, const float* sums) const { return sums[0] / count; }
};

// Neither statistics nor a loss: for a gradient that needs the counts of the groups alone.
struct CountsAlone {
  __device__ void add(int64_t, bool, Segment, float*) const {}
  __device__ float operator()(int, float, const float*) const { return 0.0f; }
};

// dx[token, e] = weight * coefficient[group, e]: all tokens of a group alike.
template <class T>
struct SharedGradient {
  const float* coefficient;
  T* dx;
  int experts;

  __device__ void write(const TokenPlace& place, Segment segment) const {
    const float* const row = coefficient + int64_t(place.group) * experts;
    write_row(dx, place, experts, segment, [&](int expert) { return place.weight * row[expert]; });
  }
};

}  // namespace limoe::cuda
