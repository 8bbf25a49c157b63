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

#endif
