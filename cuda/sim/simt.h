// CUDA's words for the C++ compiler: what a kernel may say, run by cuda/sim/block.h. Included by
// cuda/device.cuh alone.
//
// The words mean what the CUDA C++ programming guide says they mean, for whole warps; the place they are
// called from is passed on, so that an error names the line.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "cuda/kernel_name.h"
#include "cuda/launch.h"
#include "cuda/sim/block.h"
#include "cuda/stream.h"
#include "tensor/bf16.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__
// One block exists at a time, so what a block shares may be static; unlike dynamic shared memory it is not
// poisoned.
#define __shared__ static
#define __align__(bytes) __attribute__((aligned(bytes)))

namespace limoe::cuda {

inline sim::Index3& threadIdx = sim::running_thread;
inline sim::Index3& blockIdx = sim::running_block;
inline sim::Index3& blockDim = sim::running_block_shape;
inline sim::Index3& gridDim = sim::running_grid_shape;

inline void __syncthreads(const sim::Where& where = sim::Where::current()) {
  sim::block_barrier(where);
}
inline void __syncwarp(unsigned mask = 0xffffffffu, const sim::Where& where = sim::Where::current()) {
  sim::warp_barrier(mask, where);
}

namespace sim {

inline int own_lane() {
  return int(threadIdx.y * blockDim.x + threadIdx.x) % kWarpSize;
}

template <class T>
T shown_by(const unsigned char* slots, int lane) {
  T value;
  // Byte by byte: ThreadSanitizer takes a memcpy for an access of the lane.
  auto* const to = reinterpret_cast<unsigned char*>(&value);
  for (size_t i = 0; i < sizeof(T); ++i) to[i] = slots[size_t(lane) * kMostExchanged + i];
  return value;
}

template <class T>
T shuffle(const char* what, unsigned mask, T value, int source, const Where& where) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8, "a shuffle moves 4 or 8 bytes");
  const unsigned char* const slots = warp_collective(what, mask, &value, sizeof value, where);
  if (!(mask >> source & 1))
    fail(where, std::string(what) + ": reads from lane " + std::to_string(source) + " outside the mask");
  return shown_by<T>(slots, source);
}

}  // namespace sim

// `width`, a power of two, cuts the warp into segments that do not see each other.
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = kWarpSize,
              const sim::Where& where = sim::Where::current()) {
  const int begin = sim::own_lane() & ~(width - 1);
  return sim::shuffle("__shfl_sync", mask, value, begin + (source & (width - 1)), where);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = kWarpSize,
                  const sim::Where& where = sim::Where::current()) {
  const int own = sim::own_lane(), source = own ^ lanes;
  // A source in a later segment gives the lane its own value back.
  const bool reachable = source < (own & ~(width - 1)) + width;
  return sim::shuffle("__shfl_xor_sync", mask, value, reachable ? source : own, where);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = kWarpSize,
                 const sim::Where& where = sim::Where::current()) {
  const int own = sim::own_lane(), source = own - int(delta);
  return sim::shuffle("__shfl_up_sync", mask, value, source < (own & ~(width - 1)) ? own : source, where);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = kWarpSize,
                   const sim::Where& where = sim::Where::current()) {
  const int own = sim::own_lane(), source = own + int(delta);
  return sim::shuffle("__shfl_down_sync", mask, value, source >= (own & ~(width - 1)) + width ? own : source,
                      where);
}

inline unsigned __ballot_sync(unsigned mask, int predicate, const sim::Where& where = sim::Where::current()) {
  const unsigned char vote = predicate != 0;
  const unsigned char* const slots = sim::warp_collective("__ballot_sync", mask, &vote, 1, where);
  unsigned votes = 0;
  for (int lane = 0; lane < kWarpSize; ++lane)
    if (mask >> lane & 1) votes |= unsigned(sim::shown_by<unsigned char>(slots, lane)) << lane;
  return votes;
}
inline int __any_sync(unsigned mask, int predicate, const sim::Where& where = sim::Where::current()) {
  return __ballot_sync(mask, predicate, where) != 0;
}
inline int __all_sync(unsigned mask, int predicate, const sim::Where& where = sim::Where::current()) {
  return __ballot_sync(mask, predicate, where) == mask;
}

// Atomics, on integers alone: sums of floats in the order of arrival would differ from run to run.
namespace sim {
template <class T, class Update>
T atomically(T* address, const Update& update) {
  static_assert(std::is_integral_v<T>, "atomics are for integers");
  T old = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (
      !__atomic_compare_exchange_n(address, &old, update(old), false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
  return old;
}
}  // namespace sim

template <class T>
T atomicAdd(T* address, std::type_identity_t<T> value) {
  return sim::atomically(address, [=](T old) { return T(old + value); });
}
template <class T>
T atomicMax(T* address, std::type_identity_t<T> value) {
  return sim::atomically(address, [=](T old) { return std::max(old, value); });
}
template <class T>
T atomicMin(T* address, std::type_identity_t<T> value) {
  return sim::atomically(address, [=](T old) { return std::min(old, value); });
}
template <class T>
T atomicExch(T* address, std::type_identity_t<T> value) {
  return sim::atomically(address, [=](T) { return value; });
}
template <class T>
T atomicCAS(T* address, std::type_identity_t<T> expected, std::type_identity_t<T> value) {
  return sim::atomically(address, [=](T old) { return old == expected ? value : old; });
}

inline int __popc(unsigned x) {
  return std::popcount(x);
}
inline int __ffs(int x) {
  return x == 0 ? 0 : std::countr_zero(unsigned(x)) + 1;
}
inline int __clz(int x) {
  return std::countl_zero(unsigned(x));
}
inline float rsqrtf(float x) {
  return 1.0f / std::sqrt(x);
}
inline float __expf(float x) {
  return std::exp(x);
}
inline float __logf(float x) {
  return std::log(x);
}
// A product that no compiler fuses with a sum.
inline float __fmul_rn(float x, float y) {
  volatile float product = x * y;
  return product;
}
inline float __fdividef(float x, float y) {
  return x / y;
}
inline int __float_as_int(float x) {
  return std::bit_cast<int>(x);
}
inline unsigned __float_as_uint(float x) {
  return std::bit_cast<unsigned>(x);
}
inline float __int_as_float(int x) {
  return std::bit_cast<float>(x);
}
inline float __uint_as_float(unsigned x) {
  return std::bit_cast<float>(x);
}

template <class T>
T* dynamic_shared() {
  return static_cast<T*>(sim::dynamic_shared_memory());
}

inline bf16 rounded_to_bf16(float value) {
  return bf16(value);
}

template <auto Kernel, class... Arguments>
void launch(Stream, const LaunchShape& shape, Arguments... arguments) {
  sim::run_grid(std::string(kernel_name<Kernel>()), shape, [&] { Kernel(arguments...); });
}

}  // namespace limoe::cuda
