// A block that sums its values through shared memory, whole or with one barrier left out: `race_check
// KERNEL`. Run under ThreadSanitizer, which has to name the missing one and nothing else.
#include <cstdio>
#include <cstring>
#include <vector>

#include "cuda/device.cuh"

namespace limoe::cuda {
namespace {

enum class Missing { nothing, block_barrier, second_barrier, warp_barrier };

// Twice: every lane writes its value, then reads its neighbour's; so one barrier stands before the reads and
// one behind them.
template <Missing kMissing>
__global__ void neighbours_kernel(const float* x, float* y) {
  float* const tile = dynamic_shared<float>();
  const int lane = int(threadIdx.x), lanes = int(blockDim.x);
  float sum = 0;
  for (int round = 0; round < 2; ++round) {
    tile[lane] = x[lane] + float(round);
    if (kMissing != Missing::block_barrier) __syncthreads();
    sum += tile[(lane + 1) % lanes];
    if (kMissing != Missing::second_barrier) __syncthreads();
  }
  y[lane] = sum;
}

template <Missing kMissing>
__global__ void warp_neighbours_kernel(const float* x, float* y) {
  float* const tile = dynamic_shared<float>();
  const int lane = lane_index();
  tile[lane] = x[lane];
  if (kMissing != Missing::warp_barrier) __syncwarp();
  y[lane] = tile[lane ^ 1];
}

template <auto Kernel>
float run(int lanes) {
  std::vector<float> x(size_t(lanes), 1.0f), y(size_t(lanes), 0.0f);
  launch<Kernel>({}, {.block = lanes, .shared_bytes = size_t(lanes) * sizeof(float)}, x.data(), y.data());
  return y[0];
}

}  // namespace
}  // namespace limoe::cuda

int main(int argc, char** argv) {
  using namespace limoe::cuda;
  const char* const name = argc == 2 ? argv[1] : "";
  if (std::strcmp(name, "missing_block_barrier") == 0)
    std::printf("%g\n", run<neighbours_kernel<Missing::block_barrier>>(64));
  else if (std::strcmp(name, "missing_second_barrier") == 0)
    std::printf("%g\n", run<neighbours_kernel<Missing::second_barrier>>(64));
  else if (std::strcmp(name, "missing_warp_barrier") == 0)
    std::printf("%g\n", run<warp_neighbours_kernel<Missing::warp_barrier>>(32));
  else if (std::strcmp(name, "none") == 0)
    std::printf("%g %g\n", run<neighbours_kernel<Missing::nothing>>(64),
                run<warp_neighbours_kernel<Missing::nothing>>(32));
  else {
    std::fprintf(stderr,
                 "race_check: kernel is \"%s\"; expected missing_block_barrier, missing_second_barrier, "
                 "missing_warp_barrier or none\n",
                 name);
    return 2;
  }
  return 0;
}
