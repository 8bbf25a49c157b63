// One step of AdamW over flat arrays on the device; the formula is in ops/adamw_update.h. f32 throughout. One
// pass: four arrays are read, three written, 16 bytes a lane. Where decay begins and ends is an argument of
// the kernel, so nothing is copied to the device.
#pragma once

#include <cstdint>

#include "cuda/stream.h"
#include "tensor/bf16.h"

namespace limoe::cuda {

struct AdamWArrays {
  float* w;
  const float* g;
  float *m, *v;
  bf16* rounded;  // null, or where the new w goes in bf16 as well
};

struct AdamWStep {
  float beta1, beta2, epsilon, lr, first_correction, second_correction, decay;
};

// ends: of runs that do and do not decay in turn, the last one the length of the arrays; multiples of 4 but
// for the last. The first run decays if first_decays.
void adamw_update(Stream stream, const AdamWArrays& arrays, const AdamWStep& step, const int64_t* ends,
                  int run_count, bool first_decays);

}  // namespace limoe::cuda
