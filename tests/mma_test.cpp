// The simulator's twins of cuda/mma.cuh. Kernels that use the real ones are proved by the tests of the ops.
#ifdef LIMOE_SIMULATED

#include "cuda/mma.cuh"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tensor/error.h"
#include "tensor/random.h"

using namespace limoe;
using namespace limoe::cuda;

namespace {

// Whole numbers of -8 to 8: their products and sums are exact in every order.
std::vector<bf16> small_numbers(size_t count, uint64_t stream) {
  std::vector<bf16> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = bf16(float(random_below(17, 3, stream, i)) - 8);
  return values;
}

// One warp: a [16, 16] times b, which lies as [16, 8], or as [8, 16] when `b_transposed`.
__global__ void product_kernel(const bf16* a, const bf16* b, float* c, bool a_transposed, bool b_transposed) {
  bf16* const shared = dynamic_shared<bf16>();
  const int lane = lane_index();
  for (int i = lane; i < 256; i += kWarpSize) shared[i] = a[i];
  for (int i = lane; i < 128; i += kWarpSize) shared[256 + i] = b[i];
  __syncwarp();
  unsigned rows[4], columns[2];
  float sums[4] = {1, 1, 1, 1};
  if (a_transposed)
    load_matrices_transposed(rows, shared + (lane / 16 * 8 + lane % 8) * 16 + lane / 8 % 2 * 8);
  else
    load_matrices(rows, shared + lane % 16 * 16 + lane / 16 * 8);
  if (b_transposed)
    load_matrices(columns, shared + 256 + lane % 8 * 16 + lane / 8 % 2 * 8);
  else
    load_matrices_transposed(columns, shared + 256 + lane % 16 * 8);
  multiply_add(sums, rows, columns);
  const int g = lane / 4, t = lane % 4;
  for (int i = 0; i < 4; ++i) c[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sums[i];
}

// to[lane] = 4 floats, of which the first `valid` floats come from `from`.
__global__ void copy_kernel(const float* from, float* to, int valid, bool waits, int bytes_beside) {
  float* const shared = dynamic_shared<float>();
  const int at = 4 * int(threadIdx.x);
  copy_async_16(shared + at + bytes_beside / 4, from + at, valid * 4);
  commit_copies();
  copy_async_4(shared + 128 + threadIdx.x, from + threadIdx.x, valid > 0 ? 4 : 0);
  commit_copies();
  if (waits) wait_for_copies<1>();
  for (int i = 0; i < 4; ++i) to[at + i] = shared[at + i];
  wait_for_copies<0>();
  to[128 + threadIdx.x] = shared[128 + threadIdx.x];
}

enum class Fault { none, no_wait, changed_early, two_panels };

// Four warps: c [64, 256] = a [64, 64] b [64, 256] in one run of products. Operands lie as [x, k], or as [k,
// x] when `outer`, row-major.
template <bool AOuter, bool BOuter>
__global__ void group_product_kernel(const bf16* a, const bf16* b, float* c, Fault fault) {
  constexpr int kBlock = 64 * kPanelLine;
  bf16* const panel_a = dynamic_shared<bf16>();
  bf16* const panel_b = panel_a + kBlock;
  const auto store_panel = [](bf16* to, const bf16* from, int count, bool outer) {
    for (int i = int(threadIdx.x); i < count * 64; i += 128) {
      const int x = outer ? i % count : i / 64, k = outer ? i / count : i % 64;
      const int at = outer ? x / kPanelLine * kBlock + k * kPanelLine + x % kPanelLine : x * kPanelLine + k;
      to[swizzled(at * 2) / 2] = from[i];
    }
  };
  store_panel(panel_a, a, 64, AOuter);
  store_panel(panel_b, b, 256, BOuter);
  show_copies();
  __syncthreads();
  float sums[128];
  fence_products();
  for (int k = 0; k < 64; k += 16) {
    const bf16* const other = panel_a + (fault == Fault::two_panels && threadIdx.x == 70 ? 8 : 0);
    multiply_add_group<AOuter, BOuter>(sums, panel_part(other + k * (AOuter ? kPanelLine : 1), kBlock * 2),
                                       panel_part(panel_b + k * (BOuter ? kPanelLine : 1), kBlock * 2),
                                       k > 0);
  }
  commit_products();
  if (fault == Fault::changed_early) {  // between barriers, so that it is no race, but before the wait
    __syncthreads();
    store_panel(panel_a, b, 64, false);
    __syncthreads();
  }
  if (fault != Fault::no_wait) wait_for_products<0>();
  for (int i = 0; i < 128; ++i) {
    const int row = warp_index() * 16 + lane_index() / 4 + i / 2 % 2 * 8;
    c[row * 256 + i / 4 * 8 + lane_index() % 4 * 2 + i % 2] = sums[i];
  }
}

template <bool AOuter, bool BOuter>
std::vector<float> group_product(const std::vector<bf16>& a, const std::vector<bf16>& b, Fault fault) {
  std::vector<float> c(64 * 256);
  launch<group_product_kernel<AOuter, BOuter>>({}, {.block = 128, .shared_bytes = 64 * 64 * 2 * 5}, a.data(),
                                               b.data(), c.data(), fault);
  return c;
}

template <bool AOuter, bool BOuter>
std::vector<float> group_product_by_loops(const std::vector<bf16>& a, const std::vector<bf16>& b) {
  std::vector<float> c(64 * 256);
  for (int row = 0; row < 64; ++row)
    for (int column = 0; column < 256; ++column)
      for (int k = 0; k < 64; ++k)
        c[size_t(row * 256 + column)] += float(a[size_t(AOuter ? k * 64 + row : row * 64 + k)]) *
                                         float(b[size_t(BOuter ? k * 256 + column : column * 64 + k)]);
  return c;
}

enum class MeetingFault { none, nobody_comes, other_count, one_more, no_such_barrier };

// The second warp fills what the first one reads, twice; two barriers say that it is full and that it is
// empty.
__global__ void meeting_kernel(float* to, MeetingFault fault) {
  float* const shared = dynamic_shared<float>();
  const int full = fault == MeetingFault::no_such_barrier ? 16 : 1;
  constexpr int kEmpty = 2, kBoth = 2 * kWarpSize;
  for (int turn = 0; turn < 2; ++turn) {
    if (warp_index() == 1) {
      if (turn > 0) meet_at(kEmpty, kBoth);
      shared[lane_index()] = float(100 * turn + lane_index());
      if (fault != MeetingFault::nobody_comes) arrive_at(full, kBoth);
    } else {
      meet_at(full, fault == MeetingFault::other_count ? 3 * kWarpSize : kBoth);
      to[turn * kWarpSize + lane_index()] = shared[31 - lane_index()];
      if (turn == 0) arrive_at(kEmpty, kBoth);
    }
  }
  if (fault == MeetingFault::one_more && warp_index() == 0) arrive_at(full, kBoth);
}

std::vector<float> met(MeetingFault fault) {
  std::vector<float> to(64);
  launch<meeting_kernel>({}, {.block = 64, .shared_bytes = 128}, to.data(), fault);
  return to;
}

__global__ void half_a_warp_kernel() {
  float c[4] = {};
  const unsigned a[4] = {}, b[2] = {};
  if (lane_index() < 16) multiply_add(c, a, b);
}

__global__ void unaligned_rows_kernel() {
  unsigned r[4];
  load_matrices(r, dynamic_shared<bf16>() + 1);
}

}  // namespace

TEST_CASE("mma: ldmatrix and mma.sync give the product of plain loops, whichever way the operands lie") {
  const std::vector<bf16> a = small_numbers(256, 1), b = small_numbers(128, 2);
  for (const bool a_transposed : {false, true})
    for (const bool b_transposed : {false, true}) {
      std::vector<float> c(128);
      launch<product_kernel>({}, {.shared_bytes = 1024}, a.data(), b.data(), c.data(), a_transposed,
                             b_transposed);
      for (int row = 0; row < 16; ++row)
        for (int column = 0; column < 8; ++column) {
          float sum = 1;
          for (int k = 0; k < 16; ++k)
            sum += float(a[size_t(a_transposed ? k * 16 + row : row * 16 + k)]) *
                   float(b[size_t(b_transposed ? column * 16 + k : k * 8 + column)]);
          REQUIRE(c[size_t(row * 8 + column)] == sum);
        }
    }
}

TEST_CASE("mma: copies bring what they should, with zeros behind") {
  std::vector<float> from(128);
  for (size_t i = 0; i < from.size(); ++i) from[i] = float(i + 1);
  for (int valid = 0; valid <= 4; ++valid) {
    std::vector<float> to(160);
    launch<copy_kernel>({}, {.shared_bytes = 640}, from.data(), to.data(), valid, true, 0);
    for (int i = 0; i < 128; ++i) REQUIRE(to[size_t(i)] == (i % 4 < valid ? from[size_t(i)] : 0));
    for (int i = 0; i < 32; ++i) REQUIRE(to[size_t(128 + i)] == (valid ? from[size_t(i)] : 0));
  }
}

TEST_CASE("mma: who does not wait for a copy reads NaN") {
  const std::vector<float> from(128, 1);
  std::vector<float> to(160);
  launch<copy_kernel>({}, {.shared_bytes = 640}, from.data(), to.data(), 4, false, 0);
  for (int i = 0; i < 128; ++i) REQUIRE(std::isnan(to[size_t(i)]));
}

TEST_CASE("mma: half a warp and addresses that are not aligned are errors") {
  const std::vector<float> from(128, 1);
  std::vector<float> to(160);
  CHECK_THROWS_AS(launch<half_a_warp_kernel>({}, {}), CudaError);
  CHECK_THROWS_AS(launch<unaligned_rows_kernel>({}, {.shared_bytes = 1024}), CudaError);
  CHECK_THROWS_AS(launch<copy_kernel>({}, {.shared_bytes = 644}, from.data(), to.data(), 4, true, 4),
                  CudaError);
}

TEST_CASE("mma: a warpgroup's products are those of plain loops, whichever way its panels lie") {
  const std::vector<bf16> a = small_numbers(64 * 64, 3), b = small_numbers(256 * 64, 4);
  CHECK(group_product<false, false>(a, b, Fault::none) == group_product_by_loops<false, false>(a, b));
  CHECK(group_product<false, true>(a, b, Fault::none) == group_product_by_loops<false, true>(a, b));
  CHECK(group_product<true, false>(a, b, Fault::none) == group_product_by_loops<true, false>(a, b));
  CHECK(group_product<true, true>(a, b, Fault::none) == group_product_by_loops<true, true>(a, b));
}

TEST_CASE(
    "mma: a warpgroup's panels that change before the wait, a missing wait and two panels are noticed") {
  const std::vector<bf16> a = small_numbers(64 * 64, 3), b = small_numbers(256 * 64, 4);
  CHECK(group_product<false, false>(a, b, Fault::changed_early) !=
        group_product_by_loops<false, false>(a, b));
  CHECK_THROWS_WITH_AS((group_product<false, false>(a, b, Fault::no_wait)),
                       doctest::Contains("before it waited for its warpgroup's products"), CudaError);
  CHECK_THROWS_WITH_AS((group_product<false, false>(a, b, Fault::two_panels)),
                       doctest::Contains("lanes of a warp name different panels"), CudaError);
}

TEST_CASE(
    "mma: warps that meet at a barrier of their own see what the others wrote, in every order of lanes") {
  const sim::LaneOrder before = sim::lane_order();
  for (const sim::LaneOrder order :
       {sim::LaneOrder::forward, sim::LaneOrder::reverse, sim::LaneOrder::shuffled}) {
    sim::set_lane_order(order);
    const std::vector<float> to = met(MeetingFault::none);
    for (int turn = 0; turn < 2; ++turn)
      for (int lane = 0; lane < 32; ++lane)
        REQUIRE(to[size_t(turn * 32 + lane)] == float(100 * turn + 31 - lane));
  }
  sim::set_lane_order(before);
}

TEST_CASE(
    "mma: a barrier that somebody never comes to, counts that differ and one who came alone are errors") {
  CHECK_THROWS_WITH_AS(met(MeetingFault::nobody_comes), doctest::Contains("waits for ever at meet_at"),
                       CudaError);
  CHECK_THROWS_WITH_AS(met(MeetingFault::other_count), doctest::Contains("barrier 1 for"), CudaError);
  CHECK_THROWS_WITH_AS(met(MeetingFault::no_such_barrier), doctest::Contains("barrier 16; expected 1 to 15"),
                       CudaError);
  CHECK_THROWS_WITH_AS(met(MeetingFault::one_more),
                       doctest::Contains("all returned while barrier 1 had 32 of 64 lanes"), CudaError);
}

#endif
