#include "cuda/add_positions.h"
#include "cuda/elementwise.cuh"

namespace limoe::cuda {
namespace {

constexpr int64_t kMostBlocksDown = 64;

template <class T>
struct alignas(sizeof(T)) Single {
  static constexpr int kCount = 1;
  T value[1];

  __device__ float operator[](int i) const { return load(value + i); }
  __device__ void set(int i, float x) { store(value + i, x); }
};

}  // namespace

// Block (strip of a sequence, sequences b, b + blocks, ...), a lane a pack.
template <class Pack>
__global__ void add_positions_kernel(const Pack* x, const Pack* positions, Pack* y, Rows rows) {
  for (int64_t at = first_item(); at < rows.width; at += item_stride()) {
    const Pack offset = positions[at];
    for (int64_t row = blockIdx.y; row < rows.count; row += gridDim.y) {
      Pack pack = x[row * rows.width + at];
      for (int i = 0; i < Pack::kCount; ++i) pack.set(i, pack[i] + offset[i]);
      y[row * rows.width + at] = pack;
    }
  }
}

namespace {

template <class Pack, class T>
void add_in_packs(Stream stream, const T* x, const T* positions, T* y, Rows rows) {
  const Rows packs{rows.count, rows.width / Pack::kCount};
  LaunchShape shape = elementwise_shape(packs.width);
  shape.grid.y = packs.count < kMostBlocksDown ? packs.count : kMostBlocksDown;
  launch<add_positions_kernel<Pack>>(stream, shape, reinterpret_cast<const Pack*>(x),
                                     reinterpret_cast<const Pack*>(positions), reinterpret_cast<Pack*>(y),
                                     packs);
}

}  // namespace

template <class T>
void add_positions_forward(Stream stream, const T* x, const T* positions, T* y, Rows rows) {
  if (rows.count == 0 || rows.width == 0) return;
  if (can_pack<T>(rows.width, x, positions, y))
    add_in_packs<Packed<T>>(stream, x, positions, y, rows);
  else
    add_in_packs<Single<T>>(stream, x, positions, y, rows);
}

template void add_positions_forward(Stream, const float*, const float*, float*, Rows);
template void add_positions_forward(Stream, const bf16*, const bf16*, bf16*, Rows);

}  // namespace limoe::cuda
