// Runs the blocks of a simulated launch: every lane of a block is a fiber, blocks come one after another.
//
// A lane runs until it reaches a collective (a barrier, a shuffle, a vote, a matrix instruction), where it
// parks; when all lanes that have to be there are, they go on, in an order that can be reversed or shuffled,
// so that a result which depends on the order (a missing barrier) shows. Every one of these throws CudaError
// with kernel, block, lane and line:
//   - lanes of a block waiting at different barriers, or at a barrier while others have returned;
//   - lanes of a warp at different collectives, or in a collective with a lane that has returned;
//   - a collective whose mask leaves out the lane that calls it; a shuffle from a lane outside the mask.
// Dynamic shared memory is a heap block of exactly the size asked for, filled with 0xff (NaN) before each
// block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "cuda/launch.h"
#include "cuda/sim/where.h"

namespace limoe::cuda::sim {

struct Index3 {
  unsigned x = 0, y = 0, z = 0;
};

// The order in which lanes run that could all go on.
//
// forward   all lanes as far as their next barrier or collective, the first one first, then all again.
// reverse   the last warp until it waits for the block, its last lane first, then the warp before it: warps
//           are as far apart as barriers let them, where the other orders keep them side by side.
// shuffled  like forward, every time in another order.
enum class LaneOrder { forward, reverse, shuffled };

// For all launches that follow. At first: LIMOE_SIM_ORDER (forward, reverse, shuffled), else forward.
void set_lane_order(LaneOrder order, uint64_t seed = 0);
LaneOrder lane_order();
uint64_t lane_order_seed();

// What the words threadIdx, blockIdx, blockDim and gridDim mean while a lane runs.
extern Index3 running_thread, running_block, running_block_shape, running_grid_shape;

// body() once for every lane of every block.
void run_grid(const std::string& kernel, const LaunchShape& shape, const std::function<void()>& body);

// The rest is called by lanes.
void* dynamic_shared_memory();
void block_barrier(const Where& where);
// Of number 1 to 15, for `lanes` lanes of the block: who meets waits for all, who arrives goes on.
void meet_at(int barrier, int lanes, const Where& where);
void arrive_at(int barrier, int lanes, const Where& where);

inline constexpr size_t kMostExchanged = 64;  // bytes a lane can show the others

// All lanes of `mask` meet here; each shows `bytes` bytes. Returns what lane i of the warp showed at + i *
// kMostExchanged, valid until this lane's next collective.
const unsigned char* warp_collective(const char* what, unsigned mask, const void* mine, size_t bytes,
                                     const Where& where);
// warp_collective() that orders memory, as __syncwarp() does.
void warp_barrier(unsigned mask, const Where& where);

// An error of the lane that runs, with kernel, block, lane and line.
[[noreturn]] void fail(const Where& where, const std::string& what);

// Work of the running lane to be done by wait_for_copies(most_left) or later (cp.async): see cuda/mma.cuh.
void defer_copy(void* to, const void* from, size_t bytes, size_t zeros_behind);
void commit_copies();
void wait_for_copies(int groups_left, const Where& where);

// The same for products of a warpgroup, which are computed as late as they may be: who changes their operands
// too early gets other sums.
void defer_product(std::function<void()> add);
void commit_products();
void wait_for_products(int groups_left, const Where& where);

}  // namespace limoe::cuda::sim
