// Vector registers as the compiler's vector types: as wide as the target has them, of unaligned memory.
//
// For the .cpp files of ops.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include <cstdint>
#include <cstring>
#include <utility>

namespace limoe::detail {

#if defined(__AVX512F__)
constexpr int64_t kRegisterBytes = 64;
#elif defined(__AVX__)
constexpr int64_t kRegisterBytes = 32;
#else
constexpr int64_t kRegisterBytes = 16;  // SSE, NEON
#endif

template <class T, int64_t kBytes>
struct RegisterOf {
  typedef T type __attribute__((vector_size(kBytes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Register = typename RegisterOf<T, kRegisterBytes>::type;
template <class T>
constexpr int64_t kLanes = kRegisterBytes / int64_t(sizeof(T));

template <class T>
Register<T> load_register(const T* from) {
  return *reinterpret_cast<const Register<T>*>(from);
}
template <class T>
void store_register(T* to, Register<T> value) {
  *reinterpret_cast<Register<T>*>(to) = value;
}

// The first `lanes` lanes, 1..kLanes; the others are 0 or `others`, or left alone in memory, and may lie
// outside of it.
#if defined(__AVX512F__)
constexpr bool kHasMasks = true;
inline Register<float> load_lanes(const float* from, int64_t lanes) {
  return _mm512_maskz_loadu_ps(__mmask16((1u << lanes) - 1), from);
}
inline Register<float> load_lanes(const float* from, int64_t lanes, Register<float> others) {
  return _mm512_mask_loadu_ps((__m512)others, __mmask16((1u << lanes) - 1), from);
}
inline Register<double> load_lanes(const double* from, int64_t lanes) {
  return _mm512_maskz_loadu_pd(__mmask8((1u << lanes) - 1), from);
}
inline void store_lanes(float* to, Register<float> value, int64_t lanes) {
  _mm512_mask_storeu_ps(to, __mmask16((1u << lanes) - 1), value);
}
inline void store_lanes(double* to, Register<double> value, int64_t lanes) {
  _mm512_mask_storeu_pd(to, __mmask8((1u << lanes) - 1), value);
}
#else
constexpr bool kHasMasks = false;
template <class T>
Register<T> load_lanes(const T* from, int64_t lanes) {
  Register<T> value{};
  std::memcpy(&value, from, lanes * sizeof(T));
  return value;
}
template <class T>
Register<T> load_lanes(const T* from, int64_t lanes, Register<T> others) {
  std::memcpy(&others, from, lanes * sizeof(T));
  return others;
}
template <class T>
void store_lanes(T* to, Register<T> value, int64_t lanes) {
  std::memcpy(to, &value, lanes * sizeof(T));
}
#endif

// Elements i .. of rows, a register of them: all its lanes, or of the last register those that there are.
// Loaded lanes behind a row's end are 0.
template <class T>
struct WholeLanes {
  int64_t i;
  Register<T> load(const T* row) const { return load_register(row + i); }
  void store(T* row, Register<T> value) const { store_register(row + i, value); }
};
template <class T>
struct LastLanes {
  int64_t i, lanes;
  Register<T> load(const T* row) const { return load_lanes(row + i, lanes); }
  void store(T* row, Register<T> value) const { store_lanes(row + i, value, lanes); }
};

// body(WholeLanes or LastLanes) for every register of rows of `width` elements. Always part of its caller:
// called, the sums that a body keeps would go through memory.
template <class T, class Body>
[[gnu::always_inline]] inline void for_lanes_of_row(int64_t width, const Body& body) {
  int64_t i = 0;
  for (; i + kLanes<T> <= width; i += kLanes<T>) body(WholeLanes<T>{i});
  if (i < width) body(LastLanes<T>{i, width - i});
}

// A register's 16-byte units: what shuffles within a register move most cheaply.
template <class T>
constexpr int64_t kUnit = 16 / int64_t(sizeof(T));

// Of the units one behind the other: from row 0, kUnit, 2 kUnit ... of memory. Rows from `rows` on are 0.
template <class T, int64_t kUnits>
auto gather_units(const T* from, int64_t stride, int64_t rows) {
  using Result = typename RegisterOf<T, kUnits * 16>::type;
  if constexpr (kUnits == 1) {
    return rows > 0 ? *reinterpret_cast<const Result*>(from) : Result{};
  } else {
    constexpr int64_t kHalf = kUnits / 2, kRows = kHalf * kUnit<T>;
    const auto low = gather_units<T, kHalf>(from, stride, rows);
    const auto high = gather_units<T, kHalf>(from + kRows * stride, stride, rows - kRows);
    return [&]<size_t... i>(std::index_sequence<i...>)->Result {
      return __builtin_shufflevector(low, high, int(i)...);
    }
    (std::make_index_sequence<kUnits * kUnit<T>>());
  }
}

// Interleaves the lower (half 0) or upper (half 1) halves of every unit.
template <class T, int64_t kHalf>
Register<T> interleave(Register<T> a, Register<T> b) {
  constexpr int64_t kPer = kUnit<T>;
  return [&]<size_t... i>(std::index_sequence<i...>)->Register<T> {
    return __builtin_shufflevector(
        a, b, int(i / kPer * kPer + i % kPer / 2 + kHalf * kPer / 2 + i % 2 * kLanes<T>)...);
  }
  (std::make_index_sequence<kLanes<T>>());
}

// to[q, i] = from[i, q] for q < kUnit, i < kLanes; 0 where i >= rows.
template <class T>
void transpose_band(const T* from, int64_t stride, int64_t rows, T* to, int64_t to_stride) {
  constexpr int64_t kPer = kUnit<T>;
  Register<T> now[kPer], next[kPer];
#pragma GCC unroll 4
  for (int64_t i = 0; i < kPer; ++i)
    now[i] = gather_units<T, kRegisterBytes / 16>(from + i * stride, stride, rows - i);
#pragma GCC unroll 2
  for (int64_t step = kPer; step > 1; step /= 2) {
#pragma GCC unroll 2
    for (int64_t i = 0; i < kPer / 2; ++i) {
      next[2 * i] = interleave<T, 0>(now[i], now[i + kPer / 2]);
      next[2 * i + 1] = interleave<T, 1>(now[i], now[i + kPer / 2]);
    }
#pragma GCC unroll 4
    for (int64_t i = 0; i < kPer; ++i) now[i] = next[i];
  }
#pragma GCC unroll 4
  for (int64_t q = 0; q < kPer; ++q) store_register(to + q * to_stride, now[q]);
}

// to[q, i] = from[i, q] for q < columns, i < kLanes; 0 where i >= rows.
template <class T>
void transpose_rows(const T* from, int64_t stride, int64_t rows, int64_t columns, T* to, int64_t to_stride) {
  const int64_t whole = columns / kUnit<T> * kUnit<T>;
  if (rows >= kLanes<T>)
    for (int64_t q = 0; q < whole; q += kUnit<T>)
      transpose_band(from + q, stride, kLanes<T>, to + q * to_stride, to_stride);
  else
    for (int64_t q = 0; q < whole; q += kUnit<T>)
      transpose_band(from + q, stride, rows, to + q * to_stride, to_stride);
  for (int64_t q = whole; q < columns; ++q)
    for (int64_t i = 0; i < kLanes<T>; ++i) to[q * to_stride + i] = i < rows ? from[i * stride + q] : T(0);
}

}  // namespace limoe::detail
