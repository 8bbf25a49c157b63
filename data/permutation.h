// shuffled(position, count, seed, stream): where a seeded shuffle of 0..count-1 puts `position`.
//
// A bijection on 0..count-1, computed for one position alone, so that an epoch can be entered anywhere and no
// list of `count` numbers is kept. Six Feistel rounds keyed by Philox on the smallest square 2^2b >= count,
// walked until the value falls below count: less than four walks on average. Source: Black and Rogaway,
// "Ciphers with Arbitrary Finite Domains", CT-RSA 2002, methods 2 and 3.
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>

#include "tensor/random.h"

namespace limoe {

inline int64_t shuffled(int64_t position, int64_t count, uint64_t seed, uint64_t stream) {
  assert(position >= 0 && position < count && "shuffled: a position outside the list");
  constexpr int kRounds = 6;
  const int half_bits = (std::bit_width(static_cast<uint64_t>(count)) + 1) / 2;
  const uint64_t mask = (uint64_t{1} << half_bits) - 1;
  uint64_t value = static_cast<uint64_t>(position);
  do {
    uint64_t left = value >> half_bits, right = value & mask;
    for (uint64_t round = 0; round < kRounds; ++round) {
      const uint64_t mixed = left ^ (random_bits(seed, stream, right << 3 | round).word[0] & mask);
      left = right;
      right = mixed;
    }
    value = left << half_bits | right;
  } while (value >= static_cast<uint64_t>(count));
  return static_cast<int64_t>(value);
}

}  // namespace limoe
