// Vector registers as the compiler's vector types: as wide as the target has them, of unaligned memory.
//
// For the .cpp files of ops.
#pragma once

#include <cstdint>

namespace limoe::detail {

#if defined(__AVX512F__)
constexpr int64_t kRegisterBytes = 64;
#elif defined(__AVX__)
constexpr int64_t kRegisterBytes = 32;
#else
constexpr int64_t kRegisterBytes = 16;  // SSE, NEON
#endif

template <class T>
struct RegisterOf {
  typedef T type __attribute__((vector_size(kRegisterBytes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Register = typename RegisterOf<T>::type;
template <class T>
constexpr int64_t kLanes = kRegisterBytes / int64_t(sizeof(T));

// Mask of __builtin_shuffle that interleaves the lower (half 0) or upper (half 1) halves of two registers.
template <class T, int64_t kHalf>
auto interleaving() {
  decltype(Register<T>{} < Register<T>{}) mask{};
  for (int64_t i = 0; i < kLanes<T>; ++i) mask[i] = i / 2 + kHalf * kLanes<T> / 2 + i % 2 * kLanes<T>;
  return mask;
}

// Transposes a square of registers: as often as a lane index has bits, interleave its two halves of rows.
template <class T>
void transpose_square(Register<T> (&rows)[kLanes<T>]) {
  constexpr int64_t kHalf = kLanes<T> / 2;
  const auto lower = interleaving<T, 0>(), upper = interleaving<T, 1>();
#pragma GCC unroll 4
  for (int64_t lanes = kLanes<T>; lanes > 1; lanes /= 2) {
    Register<T> merged[kLanes<T>];
#pragma GCC unroll 8
    for (int64_t i = 0; i < kHalf; ++i) {
      merged[2 * i] = __builtin_shuffle(rows[i], rows[i + kHalf], lower);
      merged[2 * i + 1] = __builtin_shuffle(rows[i], rows[i + kHalf], upper);
    }
#pragma GCC unroll 16
    for (int64_t i = 0; i < kLanes<T>; ++i) rows[i] = merged[i];
  }
}

}  // namespace limoe::detail
