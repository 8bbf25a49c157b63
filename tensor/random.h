// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011).
//
// A number is a pure function of (seed, stream, index), so there is no generator state: any machine, in any
// order and on any number of threads, draws the same numbers, and the state to checkpoint is the counters the
// program has anyway (step, epoch, sample). Streams keep uses apart: give every use of its own a stream of
// its own.
#pragma once

#include <cmath>
#include <cstdint>

#include "tensor/host_device.h"

namespace limoe {

struct RandomBits {
  uint32_t word[4];
};

// Independent normal draws: number i is mean + deviation * random_normal(seed, stream, i).
struct NormalDraws {
  double mean, deviation;
  uint64_t seed, stream;
};

HOST_DEVICE inline RandomBits random_bits(uint64_t seed, uint64_t stream, uint64_t index) {
  uint32_t x0 = uint32_t(index), x1 = uint32_t(index >> 32), x2 = uint32_t(stream),
           x3 = uint32_t(stream >> 32);
  uint32_t k0 = uint32_t(seed), k1 = uint32_t(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xD2511F53u) * x0;
    const uint64_t p1 = uint64_t(0xCD9E8D57u) * x2;
    const uint32_t y0 = uint32_t(p1 >> 32) ^ x1 ^ k0, y2 = uint32_t(p0 >> 32) ^ x3 ^ k1;
    x1 = uint32_t(p1);
    x3 = uint32_t(p0);
    x0 = y0;
    x2 = y2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{x0, x1, x2, x3}};
}

// Uniform in [0, 1), a multiple of 2^-24: exact in float.
HOST_DEVICE inline float uniform_from(uint32_t word) {
  return float(word >> 8) * 0x1p-24f;
}

HOST_DEVICE inline float random_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
  return uniform_from(random_bits(seed, stream, index).word[0]);
}

// Standard normal by Box and Muller; 1 - u lies in (0, 1], so the logarithm is finite.
HOST_DEVICE inline float random_normal(uint64_t seed, uint64_t stream, uint64_t index) {
  const RandomBits bits = random_bits(seed, stream, index);
  const float radius = sqrtf(-2.0f * logf(1.0f - uniform_from(bits.word[0])));
  return radius * cosf(6.28318530717958647692f * uniform_from(bits.word[1]));
}

// Uniform in 0..count-1 (count > 0), by multiplication: the bias is below count / 2^64.
HOST_DEVICE inline uint64_t random_below(uint64_t count, uint64_t seed, uint64_t stream, uint64_t index) {
  const RandomBits bits = random_bits(seed, stream, index);
  const uint64_t wide = uint64_t(bits.word[0]) << 32 | bits.word[1];
  return uint64_t((unsigned __int128)(wide)*count >> 64);
}

}  // namespace limoe
