// Random numbers of the data side: which stream of tensor/random.h is whose, and a sequence of draws for one
// sample.
#pragma once

#include <cstdint>

#include "tensor/random.h"

namespace limoe {

enum class DataStream : uint64_t {
  kShuffle = 1,
  kImage = 2,
  kCaption = 3,
  kTokens = 4,
  kSubset = 5,
  kShare = 6,
  kPatches = 7
};

// The top 16 bits keep these apart from the small stream numbers used elsewhere; an epoch has a stream of its
// own.
inline uint64_t data_stream(DataStream use, int64_t epoch) {
  return uint64_t{0xDA7A} << 48 | static_cast<uint64_t>(use) << 40 | static_cast<uint64_t>(epoch);
}

// Draw n of (seed, use, epoch, sample): the same numbers whoever computes them, whenever.
class SampleRandom {
 public:
  SampleRandom(uint64_t seed, DataStream use, int64_t epoch, int64_t sample)
      : seed_(seed), stream_(data_stream(use, epoch)), next_(static_cast<uint64_t>(sample) << 16) {}

  double uniform(double low, double high) {
    return low + (high - low) * random_uniform(seed_, stream_, next_++);
  }
  bool chance(double probability) { return uniform(0.0, 1.0) < probability; }
  int64_t below(int64_t count) {  // 0..count-1
    return static_cast<int64_t>(random_below(static_cast<uint64_t>(count), seed_, stream_, next_++));
  }

 private:
  uint64_t seed_, stream_, next_;
};

}  // namespace limoe
