// patchify on the device and back; the order of the numbers is in ops/patchify.h. T is float or bf16. Lanes
// stride over the patches, 16 bytes at a time where a patch's row of pixels is whole packs; neighbours read
// and write neighbours.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

struct PatchGrid {
  int64_t pictures, down, across;  // patches
  int64_t height;                  // of a patch: rows of pixels
  int64_t run;                     // numbers in one row of pixels of one patch
};

template <class T>
void patchify_forward(Stream stream, const T* images, T* patches, const PatchGrid& grid);

template <class T>
void patchify_backward(Stream stream, const T* patches, T* images, const PatchGrid& grid);

}  // namespace limoe::cuda
