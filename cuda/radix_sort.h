// A stable sort of (key, value) pairs by ascending key, on the device.
//
// Least significant digit first, 8 bits a pass (Knuth, The Art of Computer Programming 3, 5.2.5). A pass is
// three kernels: every tile of 1,024 pairs counts its digits; one block a digit turns the counts into prefix
// sums over tiles; every tile places its pairs, those of one digit in the order they came. Only integers are
// added: the result is the one stable order, in every run.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

// Two arrays of `count` pairs, between which the passes go back and forth, and room for the counts.
struct SortArrays {
  uint32_t* keys[2];
  int32_t* values[2];
  int32_t* counts;  // [sort_count_size(count)]
};

int64_t sort_count_size(int64_t count);

// Sorts the pairs in keys[0] and values[0] by the lowest `bits` bits of the key (0..32, rounded up to whole
// digits). Returns which of the two arrays holds the result.
int radix_sort(Stream stream, const SortArrays& arrays, int64_t count, int bits);

}  // namespace limoe::cuda
