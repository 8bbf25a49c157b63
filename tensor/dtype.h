// The element types a tensor can have.
//
//   f32   everything that is trained on the CPU
//   bf16  storage on the GPU: kernels load it, compute in float, store it
//   i32   indices and masks
//   f64   on the CPU, so that gradients can be checked to 1e-7
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "tensor/bf16.h"

namespace limoe {

enum class DType : uint8_t { f32, bf16, i32, f64 };

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<bf16> {
  static constexpr DType value = DType::bf16;
};
template <>
struct DTypeOf<int32_t> {
  static constexpr DType value = DType::i32;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::f64;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

size_t size_of(DType dtype);               // bytes of one element
std::string_view name_of(DType dtype);     // "f32"
DType parse_dtype(std::string_view name);  // throws ValueError naming the known ones
inline bool is_floating(DType dtype) {
  return dtype != DType::i32;
}

std::ostream& operator<<(std::ostream& out, DType dtype);

}  // namespace limoe
