// Sixteen bytes of T as one load or store: what a lane moves best.
#pragma once

#include "cuda/device.cuh"

namespace limoe::cuda {

template <class T>
struct alignas(16) Packed {
  static constexpr int kCount = 16 / int(sizeof(T));
  T value[kCount];

  __device__ float operator[](int i) const { return load(value + i); }
  __device__ void set(int i, float x) { store(value + i, x); }
};

// x must be a multiple of 16 bytes.
template <class T>
__device__ inline Packed<T> load_packed(const T* x) {
  return *reinterpret_cast<const Packed<T>*>(x);
}
template <class T>
__device__ inline void store_packed(T* x, const Packed<T>& packed) {
  *reinterpret_cast<Packed<T>*>(x) = packed;
}

// True when every array begins at a multiple of 16 bytes and holds whole packs.
template <class T, class... Arrays>
bool can_pack(int64_t count, const Arrays*... arrays) {
  return count % Packed<T>::kCount == 0 && ((reinterpret_cast<uintptr_t>(arrays) % 16 == 0) && ...);
}

// Whole packs at the front of arrays of `count` elements; none unless all begin at a multiple of 16 bytes.
template <class T, class... Arrays>
int64_t whole_packs(int64_t count, const Arrays*... arrays) {
  return ((reinterpret_cast<uintptr_t>(arrays) % 16 == 0) && ...) ? count / Packed<T>::kCount : 0;
}

}  // namespace limoe::cuda
