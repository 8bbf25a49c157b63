// What a kernel is launched with, and what every launch is checked for before it starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace limoe::cuda {

inline constexpr int kWarpSize = 32;
inline constexpr int kMostLanes = 1024;                 // in a block
inline constexpr size_t kFreeSharedBytes = 48 * 1024;   // a block may have without asking
inline constexpr size_t kMostSharedBytes = 163 * 1024;  // a block may ask for on every device from sm_80 on
inline constexpr size_t kMostSharedBytesOfHopper = 227 * 1024;
inline constexpr int64_t kMostBlocks = 0x7fffffff;  // along x; 65,535 along y and z

struct Extent {
  int64_t x = 1, y = 1, z = 1;
};

struct LaunchShape {
  Extent grid{};              // blocks
  int block = kWarpSize;      // lanes along x; a multiple of the warp
  int block_y = 1;            // warps and rows of lanes beside it
  size_t shared_bytes = 0;    // dynamic shared memory
  bool hopper_alone = false;  // the kernel runs where has_warpgroup_products() (cuda/runtime.h) alone
};

// Throws CudaError: a launch no device would accept, by the name of the kernel and the field.
void expect_launchable(std::string_view kernel, const LaunchShape& shape);

// The blocks of `per_block` items that cover `count` items.
inline int64_t blocks_for(int64_t count, int64_t per_block) {
  return (count + per_block - 1) / per_block;
}

// A size of the host as the 32-bit number kernels count with; throws ValueError when it does not fit.
int narrow(const char* what, int64_t value);

}  // namespace limoe::cuda
