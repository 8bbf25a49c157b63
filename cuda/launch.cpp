#include "cuda/launch.h"

#include <limits>

#include "tensor/error.h"

namespace limoe::cuda {

void expect_launchable(std::string_view kernel, const LaunchShape& shape) {
  const auto [x, y, z] = shape.grid;
  const int64_t lanes = int64_t(shape.block) * shape.block_y;
  if (x < 1 || y < 1 || z < 1 || x > kMostBlocks || y > 65535 || z > 65535)
    throw CudaError(kernel, ": the grid is ", x, " x ", y, " x ", z,
                    " blocks; expected 1 to 2,147,483,647 x 65,535 x 65,535");
  if (shape.block < 1 || shape.block_y < 1 || lanes > kMostLanes || lanes % kWarpSize != 0)
    throw CudaError(kernel, ": a block has ", shape.block, " x ", shape.block_y,
                    " lanes; expected whole warps of ", kWarpSize, ", at most ", kMostLanes, " lanes");
  const size_t most_shared = shape.hopper_alone ? kMostSharedBytesOfHopper : kMostSharedBytes;
  if (shape.shared_bytes > most_shared)
    throw CudaError(kernel, ": a block wants ", shape.shared_bytes,
                    " bytes of shared memory; expected at most ", most_shared);
}

int narrow(const char* what, int64_t value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max())
    throw ValueError(what, " is ", value, "; expected a number of 32 bits");
  return int(value);
}

}  // namespace limoe::cuda
