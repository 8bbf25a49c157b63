// The element types of the safetensors format that are read, and what a tensor of each becomes.
//
//   F32, BF16, I32, F64             what the file holds, bit for bit
//   F16                             f32, exactly
//   I16, I8, U16, U8                i32, exactly
//   I64, U32, U64                   i32, where every element fits
//   BOOL                            i32: 0 or 1; any other byte is refused
//
// Only the first four are written. Whole numbers are indices and masks here, which no tensor of this library
// holds in 64 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tensor/dtype.h"

namespace limoe {

// An element that the tensor's dtype cannot hold.
struct MisfitElement {
  int64_t index;
  std::string value;
};

struct SafetensorsType {
  std::string_view name;  // "F16"
  size_t bytes;           // of one element in the file
  DType dtype;            // of the tensor it becomes
  // Reads `count` elements into `to`, of `dtype`; gives back the first one that does not fit. Null where the
  // bytes are the same.
  std::optional<MisfitElement> (*convert)(const std::byte* from, int64_t count, void* to) = nullptr;
  std::string_view expected = "";  // of an element that was refused
};

// Null where the format has no such type or it is not read.
const SafetensorsType* find_safetensors_type(std::string_view name);

// The type that a dtype is written as.
const SafetensorsType& safetensors_type_of(DType dtype);

std::string names_of_safetensors_types();  // "F32, BF16, ... or BOOL"

}  // namespace limoe
