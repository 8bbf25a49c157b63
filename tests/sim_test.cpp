// The simulator itself: what its words mean, and that broken kernels are told from right ones, by kernel,
// lane and line.
#ifdef LIMOE_SIMULATED
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "cuda/device.cuh"
#include "cuda/packed.cuh"
#include "cuda/reduce.cuh"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

// Runs `body` in one order of lanes and puts the order back.
template <class Body>
void in_order(sim::LaneOrder order, uint64_t seed, const Body& body) {
  sim::set_lane_order(order, seed);
  body();
  sim::set_lane_order(sim::LaneOrder::forward);
}

template <class Body>
void in_all_orders(const Body& body) {
  in_order(sim::LaneOrder::forward, 0, body);
  in_order(sim::LaneOrder::reverse, 0, body);
  for (uint64_t seed = 1; seed <= 3; ++seed) in_order(sim::LaneOrder::shuffled, seed, body);
}

// What a launch throws; empty when it does not.
template <class Launch>
std::string complaint(const Launch& run) {
  try {
    run();
  } catch (const CudaError& error) {
    return error.what();
  }
  return "";
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

__global__ void index_kernel(int* seen) {
  const int lane = int(threadIdx.y * blockDim.x + threadIdx.x);
  const int block = int((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x);
  seen[block * int(blockDim.x * blockDim.y) + lane] += 1 + lane + 1000 * block;
}

__global__ void reversed_kernel(int* values) {
  int* const tile = dynamic_shared<int>();
  tile[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

[[maybe_unused]] __global__ void reversed_without_barrier_kernel(int* values) {
  int* const tile = dynamic_shared<int>();
  tile[threadIdx.x] = values[threadIdx.x];
  values[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

__global__ void two_barriers_kernel(bool apart) {
  if (apart && threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
}

__global__ void early_return_kernel() {
  if (threadIdx.x == 5) return;
  __syncthreads();
}

// Two rounds over one tile. Without the second barrier a warp may write the second round while another still
// reads the first; the collectives around the read keep them side by side where all lanes take turns.
__global__ void rounds_kernel(int* out, bool second_barrier) {
  int* const tile = dynamic_shared<int>();
  for (int round = 0; round < 2; ++round) {
    tile[threadIdx.x] = 1 + round;
    __syncthreads();
    const int other = __shfl_sync(kAllLanes, int(threadIdx.x), lane_index()) ^ kWarpSize;
    out[round * int(blockDim.x) + int(threadIdx.x)] = __shfl_sync(kAllLanes, tile[other], lane_index());
    if (second_barrier) __syncthreads();
  }
}

__global__ void shuffle_after_return_kernel(int* out) {
  if (threadIdx.x == 7) return;
  out[threadIdx.x] = __shfl_xor_sync(kAllLanes, 1, 1);
}

__global__ void half_mask_kernel(int* out) {
  out[threadIdx.x] = __shfl_sync(0x0000ffffu, int(threadIdx.x), 0);
}

__global__ void mixed_collectives_kernel(int* out) {
  out[threadIdx.x] = threadIdx.x < 16 ? __shfl_sync(kAllLanes, 1, 0) : int(__ballot_sync(kAllLanes, 1));
}

__global__ void barrier_against_shuffle_kernel(int* out) {
  if (threadIdx.x < 16)
    __syncthreads();
  else
    out[threadIdx.x] = __shfl_sync(kAllLanes, 1, 0);
}

// Frames of two shapes: what AddressSanitizer marks around the locals of one lies inside those of the other.
__global__ void small_locals_kernel(int* out) {
  int a[3] = {int(threadIdx.x)}, b[3] = {a[0] + 1}, c[3] = {b[0] + 1};
  int* const locals[3] = {a, b, c};
  if (threadIdx.x < 16) __syncwarp();
  out[threadIdx.x] = *locals[threadIdx.x % 3];
}
__global__ void large_locals_kernel(int* out) {
  int many[256];
  for (int i = 0; i < 256; ++i) many[i] = i * int(threadIdx.x);
  int* const last = many + 255 - threadIdx.x % 2;
  out[threadIdx.x] = *last;
}

__global__ void shuffles_kernel(int* out) {
  const int lane = int(threadIdx.x);
  out[lane * 8 + 0] = __shfl_sync(kAllLanes, lane, 3);
  out[lane * 8 + 1] = __shfl_xor_sync(kAllLanes, lane, 5);
  out[lane * 8 + 2] = __shfl_up_sync(kAllLanes, lane, 2);
  out[lane * 8 + 3] = __shfl_down_sync(kAllLanes, lane, 2);
  out[lane * 8 + 4] = __shfl_sync(kAllLanes, lane, 1, 8);
  out[lane * 8 + 5] = __shfl_down_sync(kAllLanes, lane, 3, 8);
  out[lane * 8 + 6] = int(__ballot_sync(kAllLanes, lane % 3 == 0));
  out[lane * 8 + 7] = __any_sync(kAllLanes, lane == 31) + 2 * __all_sync(kAllLanes, lane < 31);
}

__global__ void reduce_kernel(const float* x, float* sum, float* top) {
  const float value = x[threadIdx.x];
  sum[threadIdx.x] = block_reduce<Sum>(value);
  top[threadIdx.x] = block_reduce<Max>(value);
}

__global__ void unwritten_shared_kernel(float* out) {
  out[threadIdx.x] = dynamic_shared<float>()[threadIdx.x];
}

__global__ void count_kernel(int* counter, int* most) {
  atomicAdd(counter, 1);
  atomicMax(most, int(blockIdx.x * blockDim.x + threadIdx.x));
}

__global__ void copy_kernel(const float* from, float* to, bool wait) {
  float* const tile = dynamic_shared<float>();
  sim::defer_copy(tile + threadIdx.x * 4, from + threadIdx.x * 4, 8, 8);
  sim::commit_copies();
  if (wait) sim::wait_for_copies(0, sim::Where::current());
  for (int i = 0; i < 4; ++i) to[threadIdx.x * 4 + i] = tile[threadIdx.x * 4 + i];
  if (!wait) sim::wait_for_copies(0, sim::Where::current());
}

__global__ void forgotten_copy_kernel(const float* from) {
  sim::defer_copy(dynamic_shared<float>() + 4 * threadIdx.x, from, 16, 0);
}

}  // namespace

TEST_CASE("sim: every lane of every block runs once and knows where it is") {
  in_all_orders([] {
    std::vector<int> seen(2 * 3 * 2 * 128, 0);
    launch<index_kernel>({}, {.grid = {2, 3, 2}, .block = 64, .block_y = 2}, seen.data());
    for (size_t i = 0; i < seen.size(); ++i) CHECK(seen[i] == int(1 + i % 128 + 1000 * (i / 128)));
  });
}

TEST_CASE("sim: a barrier separates what is written from what is read, in every order of lanes") {
  in_all_orders([] {
    std::vector<int> values(96);
    for (int i = 0; i < 96; ++i) values[size_t(i)] = i;
    launch<reversed_kernel>({}, {.block = 96, .shared_bytes = 96 * sizeof(int)}, values.data());
    for (int i = 0; i < 96; ++i) CHECK(values[size_t(i)] == 95 - i);
  });
}

#ifndef __SANITIZE_THREAD__  // which finds it as a race: tests/races
TEST_CASE("sim: without the barrier the result is wrong") {
  std::vector<int> values(96, 1);
  launch<reversed_without_barrier_kernel>({}, {.block = 96, .shared_bytes = 96 * sizeof(int)}, values.data());
  CHECK(std::count(values.begin(), values.end(), 1) < 96);
}
#endif

TEST_CASE("sim: a warp that may run ahead does, in reverse order") {
  const auto seen = [](bool second_barrier) {
    std::vector<int> out(128);
    launch<rounds_kernel>({}, {.block = 64, .shared_bytes = 256}, out.data(), second_barrier);
    return out;
  };
  std::vector<int> right(128, 1);
  std::fill(right.begin() + 64, right.end(), 2);
  in_all_orders([&] { CHECK(seen(true) == right); });
#ifndef __SANITIZE_THREAD__     // which names the race
  CHECK(seen(false) == right);  // in forward order nothing is noticed
  in_order(sim::LaneOrder::reverse, 0, [&] { CHECK(seen(false) != right); });
#endif
}

TEST_CASE("sim: lanes at two barriers, or at one that others have passed by, are named") {
  CHECK(complaint([] { launch<two_barriers_kernel>({}, {.block = 64}, false); }) == "");
  const std::string apart = complaint([] { launch<two_barriers_kernel>({}, {.block = 64}, true); });
  CHECK(holds(apart, "two_barriers_kernel"));
  CHECK(holds(apart, "block (0, 0, 0), lane 32"));
  CHECK(holds(apart, "sim_test.cpp:"));
  CHECK(holds(apart, "while lane 31 waits at the one in"));
  CHECK(holds(complaint([] { launch<early_return_kernel>({}, {.block = 32}); }), "lane 5 will not reach"));
}

TEST_CASE("sim: shuffles and votes give what the programming guide says") {
  in_all_orders([] {
    std::vector<int> out(32 * 8);
    launch<shuffles_kernel>({}, {.block = 32}, out.data());
    unsigned thirds = 0;
    for (int lane = 0; lane < 32; lane += 3) thirds |= 1u << lane;
    for (int lane = 0; lane < 32; ++lane) {
      const int* const got = out.data() + lane * 8;
      CHECK(got[0] == 3);
      CHECK(got[1] == (lane ^ 5));
      CHECK(got[2] == (lane < 2 ? lane : lane - 2));
      CHECK(got[3] == (lane > 29 ? lane : lane + 2));
      CHECK(got[4] == lane / 8 * 8 + 1);
      CHECK(got[5] == (lane % 8 > 4 ? lane : lane + 3));
      CHECK(unsigned(got[6]) == thirds);
      CHECK(got[7] == 1);
    }
  });
}

TEST_CASE("sim: a collective with a lane that is elsewhere is named") {
  std::vector<int> out(32);
  CHECK(holds(complaint([&] { launch<shuffle_after_return_kernel>({}, {.block = 32}, out.data()); }),
              "__shfl_xor_sync with lane 7, which has returned"));
  CHECK(holds(complaint([&] { launch<half_mask_kernel>({}, {.block = 32}, out.data()); }),
              "the mask leaves out the lane that calls"));
  CHECK(holds(complaint([&] { launch<mixed_collectives_kernel>({}, {.block = 32}, out.data()); }),
              "expected all lanes of the mask at the same place"));
  CHECK(holds(complaint([&] { launch<barrier_against_shuffle_kernel>({}, {.block = 32}, out.data()); }),
              "waits at __syncthreads"));
}

TEST_CASE("sim: after a broken kernel the next one runs as ever") {
  std::vector<int> out(32), seen(32, 0);
  complaint([&] { launch<barrier_against_shuffle_kernel>({}, {.block = 32}, out.data()); });
  launch<index_kernel>({}, {.block = 32}, seen.data());
  for (int i = 0; i < 32; ++i) CHECK(seen[size_t(i)] == 1 + i);
}

TEST_CASE("sim: stacks that a broken kernel left behind carry no marks of a sanitizer") {
  std::vector<int> out(32);
  CHECK(holds(complaint([&] { launch<small_locals_kernel>({}, {.block = 32}, out.data()); }),
              "which has returned"));
  launch<large_locals_kernel>({}, {.block = 32}, out.data());
  for (int i = 0; i < 32; ++i) CHECK(out[size_t(i)] == i * (255 - i % 2));
}

TEST_CASE("sim: reductions over a block give every lane the same bits, and NaN wins") {
  in_all_orders([] {
    for (const int lanes : {32, 64, 1024}) {
      std::vector<float> x(size_t(lanes), 0.5f), sum(x.size()), top(x.size());
      x[3] = 7;
      launch<reduce_kernel>({}, {.block = lanes}, x.data(), sum.data(), top.data());
      for (size_t i = 0; i < x.size(); ++i) {
        CHECK(sum[i] == 0.5f * float(lanes) + 6.5f);
        CHECK(top[i] == 7);
      }
      x[1] = NAN;
      launch<reduce_kernel>({}, {.block = lanes}, x.data(), sum.data(), top.data());
      for (size_t i = 0; i < x.size(); ++i) CHECK((std::isnan(sum[i]) && std::isnan(top[i])));
    }
  });
}

TEST_CASE("sim: dynamic shared memory holds NaN until it is written") {
  std::vector<float> out(32, 0.0f);
  launch<unwritten_shared_kernel>({}, {.block = 32, .shared_bytes = 32 * sizeof(float)}, out.data());
  for (const float value : out) CHECK(std::isnan(value));
}

TEST_CASE("sim: integer atomics count every lane") {
  in_all_orders([] {
    int counter = 0, most = 0;
    launch<count_kernel>({}, {.grid = {5}, .block = 96}, &counter, &most);
    CHECK(counter == 480);
    CHECK(most == 479);
  });
}

TEST_CASE("sim: an asynchronous copy arrives at the wait and not before") {
  std::vector<float> from(128, 2.5f), to(128);
  const LaunchShape shape{.block = 32, .shared_bytes = 128 * sizeof(float)};
  launch<copy_kernel>({}, shape, from.data(), to.data(), true);
  for (size_t i = 0; i < to.size(); ++i) CHECK(to[i] == (i % 4 < 2 ? 2.5f : 0.0f));
  launch<copy_kernel>({}, shape, from.data(), to.data(), false);
  for (const float value : to) CHECK(std::isnan(value));
  CHECK(holds(complaint([&] { launch<forgotten_copy_kernel>({}, shape, from.data()); }),
              "returned before it waited for its asynchronous copies"));
}

TEST_CASE("sim: a launch no device would accept is refused by kernel and field") {
  CHECK(holds(complaint([] { launch<early_return_kernel>({}, {.grid = {0}}); }), "the grid is 0 x 1 x 1"));
  CHECK(holds(complaint([] { launch<early_return_kernel>({}, {.block = 33}); }), "a block has 33 x 1 lanes"));
  CHECK(holds(complaint([] { launch<early_return_kernel>({}, {.block = 2048}); }), "a block has 2048"));
  CHECK(holds(complaint([] { launch<early_return_kernel>({}, {.shared_bytes = 200000}); }),
              "wants 200000 bytes"));
  CHECK(holds(
      complaint([] { launch<early_return_kernel>({}, {.shared_bytes = 240000, .hopper_alone = true}); }),
      "wants 240000 bytes of shared memory; expected at most 232448"));
}

}  // namespace limoe::cuda
#endif
