#include "cuda/router_groups.cuh"

namespace limoe::cuda {

__global__ void router_mean_kernel(RouterScratch scratch, int groups, float* loss) {
  float sum = 0, filled = 0;
  for (int group = int(threadIdx.x); group < groups; group += int(blockDim.x)) {
    sum += scratch.loss[group];
    filled += scratch.count[group] > 0 ? 1.0f : 0.0f;
  }
  sum = block_reduce<Sum>(sum);
  filled = block_reduce<Sum>(filled);
  if (threadIdx.x > 0) return;
  *scratch.filled = filled;
  if (loss) *loss = filled > 0 ? sum / filled : 0.0f;
}

void launch_router_mean(Stream stream, const RouterScratch& scratch, const RouterSizes& sizes, float* loss) {
  launch<router_mean_kernel>(stream, {.block = kRouterLanes}, scratch,
                             narrow("router loss: groups", sizes.groups), loss);
}

int router_shares(const RouterSizes& sizes) {
  constexpr int64_t kWantedBlocks = 512;  // four for every multiprocessor
  const int64_t tiles = blocks_for(sizes.tokens, kRouterLanes);
  const int64_t most = kWantedBlocks / (sizes.groups > 0 ? sizes.groups : 1);
  const int64_t shares = tiles < most ? tiles : most;
  return shares > 1 ? int(shares) : 1;
}

int64_t router_scratch_size(const RouterSizes& sizes) {
  const int64_t columns = 2 * sizes.experts + 1;  // the most any loss sums
  return 2 * sizes.groups + 1 + sizes.groups * sizes.experts + sizes.groups * router_shares(sizes) * columns;
}

}  // namespace limoe::cuda
