// Random choices that depend on nothing but their arguments: the same on every machine, in every order, on
// any number of threads. Used to split data sets and to draw procedural pictures.
//
//   stable_hash(text, seed)   FNV-1a over the bytes, then mix64
//   mix64(x)                  the finalizer of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
//   number
//                             generators", 2014): a bijection whose every output bit depends on every input
//                             bit
//   CounterRandom(seed, i)    the stream of sample i: draw k is mix64 of a key of (seed, i) plus k golden
//   ratios
#pragma once

#include <cstdint>
#include <string_view>

namespace limoe {

constexpr uint64_t kGoldenRatio = 0x9e3779b97f4a7c15ull;

constexpr uint64_t mix64(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

constexpr uint64_t stable_hash(std::string_view text, uint64_t seed) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ull;
  return mix64(hash ^ mix64(seed + kGoldenRatio));
}

class CounterRandom {
 public:
  CounterRandom(uint64_t seed, uint64_t index) : state_(mix64(mix64(seed + kGoldenRatio) ^ mix64(~index))) {}

  uint64_t bits() { return mix64(state_ += kGoldenRatio); }

  // Uniform in 0 .. count - 1, by the high half of a product; the bias is below count / 2^32.
  int below(int count) { return static_cast<int>(((bits() >> 32) * static_cast<uint64_t>(count)) >> 32); }

  // Uniform in [low, high).
  double between(double low, double high) {
    return low + (high - low) * (static_cast<double>(bits() >> 11) * 0x1.0p-53);
  }

 private:
  uint64_t state_;
};

}  // namespace limoe
