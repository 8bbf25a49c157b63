#include "tensor/safetensors_types.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <utility>

#include "tensor/error.h"

namespace limoe {
namespace {

struct Half {
  uint16_t bits;
};
struct Truth {
  uint8_t byte;
};

// A half has a sign, 5 bits of exponent (bias 15) and 10 of fraction; every value of it is a float.
float widened(Half half) {
  constexpr uint32_t kNoNumber = 31, kBiasDifference = 127 - 15;
  const uint32_t sign = uint32_t(half.bits & 0x8000u) << 16;
  const uint32_t exponent = half.bits >> 10 & 31u, fraction = half.bits & 0x3ffu;
  if (exponent == kNoNumber) return std::bit_cast<float>(sign | 0x7f800000u | fraction << 13);
  if (exponent > 0) return std::bit_cast<float>(sign | (exponent + kBiasDifference) << 23 | fraction << 13);
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(float(fraction) * 0x1p-24f));
}

template <class From>
From element(const std::byte* from, int64_t index) {
  From value;
  std::memcpy(&value, from + size_t(index) * sizeof value, sizeof value);  // which may lie at any address
  return value;
}

std::optional<MisfitElement> halves_to_f32(const std::byte* from, int64_t count, void* to) {
  for (int64_t i = 0; i < count; ++i) static_cast<float*>(to)[i] = widened(element<Half>(from, i));
  return {};
}

std::optional<MisfitElement> truths_to_i32(const std::byte* from, int64_t count, void* to) {
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t byte = element<Truth>(from, i).byte;
    if (byte > 1) return MisfitElement{i, std::to_string(byte)};
    static_cast<int32_t*>(to)[i] = byte;
  }
  return {};
}

template <class From>
std::optional<MisfitElement> whole_to_i32(const std::byte* from, int64_t count, void* to) {
  for (int64_t i = 0; i < count; ++i) {
    const From value = element<From>(from, i);
    if (!std::in_range<int32_t>(value)) return MisfitElement{i, std::to_string(value)};
    static_cast<int32_t*>(to)[i] = int32_t(value);
  }
  return {};
}

constexpr std::string_view kRange = "-2147483648 to 2147483647, as it is read into i32";

constexpr SafetensorsType kTypes[] = {
    {"F32", 4, DType::f32},
    {"BF16", 2, DType::bf16},
    {"I32", 4, DType::i32},
    {"F64", 8, DType::f64},
    {"F16", 2, DType::f32, halves_to_f32},
    {"I64", 8, DType::i32, whole_to_i32<int64_t>, kRange},
    {"I16", 2, DType::i32, whole_to_i32<int16_t>},
    {"I8", 1, DType::i32, whole_to_i32<int8_t>},
    {"U64", 8, DType::i32, whole_to_i32<uint64_t>, kRange},
    {"U32", 4, DType::i32, whole_to_i32<uint32_t>, kRange},
    {"U16", 2, DType::i32, whole_to_i32<uint16_t>},
    {"U8", 1, DType::i32, whole_to_i32<uint8_t>},
    {"BOOL", 1, DType::i32, truths_to_i32, "0 or 1"},
};

}  // namespace

const SafetensorsType* find_safetensors_type(std::string_view name) {
  const auto found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                  [&](const SafetensorsType& type) { return type.name == name; });
  return found == std::end(kTypes) ? nullptr : found;
}

const SafetensorsType& safetensors_type_of(DType dtype) {
  const auto found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const SafetensorsType& type) {
    return type.dtype == dtype && type.convert == nullptr;
  });
  if (found == std::end(kTypes))
    throw DTypeError("write_safetensors: ", dtype,
                     " has no name in the format; expected f32, bf16, i32 or f64");
  return *found;
}

std::string names_of_safetensors_types() {
  std::string names;
  for (const SafetensorsType& type : kTypes) {
    if (&type != std::begin(kTypes)) names += &type + 1 == std::end(kTypes) ? " or " : ", ";
    names += type.name;
  }
  return names;
}

}  // namespace limoe
