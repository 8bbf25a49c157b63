#include "cuda/elementwise.cuh"
#include "cuda/patchify.h"

namespace limoe::cuda {
namespace {

// Where unit `i` of the patches lies in the pictures.
__device__ inline int64_t in_pictures(int64_t i, const PatchGrid& grid) {
  const int run = int(grid.run), height = int(grid.height), across = int(grid.across);
  const int64_t row = i / run;  // rows of pixels of patches
  const int unit = int(i - row * run);
  const int64_t patch = row / height;
  const int y = int(row - patch * height);
  const int64_t patch_row = patch / across;
  const int column = int(patch - patch_row * across);
  return ((patch_row * height + y) * across + column) * run + unit;
}

}  // namespace

// Lanes stride over units of the patches. kBack: from patches to pictures.
template <class Unit, bool kBack>
__global__ void patchify_kernel(const Unit* from, Unit* to, PatchGrid grid, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_stride()) {
    const int64_t at = in_pictures(i, grid);
    if (kBack)
      to[at] = from[i];
    else
      to[i] = from[at];
  }
}

namespace {

template <class Unit, bool kBack, class T>
void move_units(Stream stream, const T* from, T* to, PatchGrid grid) {
  grid.run /= int64_t(sizeof(Unit) / sizeof(T));
  const int64_t count = grid.pictures * grid.down * grid.across * grid.height * grid.run;
  if (count == 0) return;
  launch<patchify_kernel<Unit, kBack>>(stream, elementwise_shape(count), reinterpret_cast<const Unit*>(from),
                                       reinterpret_cast<Unit*>(to), grid, count);
}

template <bool kBack, class T>
void move(Stream stream, const T* from, T* to, const PatchGrid& grid) {
  for (const int64_t size : {grid.down, grid.across, grid.height, grid.run}) narrow("patchify: grid", size);
  if (can_pack<T>(grid.run, from, to))
    move_units<Packed<T>, kBack>(stream, from, to, grid);
  else
    move_units<T, kBack>(stream, from, to, grid);
}

}  // namespace

template <class T>
void patchify_forward(Stream stream, const T* images, T* patches, const PatchGrid& grid) {
  move<false>(stream, images, patches, grid);
}
template <class T>
void patchify_backward(Stream stream, const T* patches, T* images, const PatchGrid& grid) {
  move<true>(stream, patches, images, grid);
}

template void patchify_forward(Stream, const float*, float*, const PatchGrid&);
template void patchify_forward(Stream, const bf16*, bf16*, const PatchGrid&);
template void patchify_backward(Stream, const float*, float*, const PatchGrid&);
template void patchify_backward(Stream, const bf16*, bf16*, const PatchGrid&);

}  // namespace limoe::cuda
