// The header of a safetensors file (safetensors.h): JSON text in, checked entries out.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tensor/safetensors_types.h"
#include "tensor/shape.h"

namespace limoe {

struct SafetensorsEntry {
  std::string name;
  const SafetensorsType* type = nullptr;
  Shape shape;
  uint64_t begin = 0;  // of its bytes, counted from the start of the data
  uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of their bytes, which they cover without holes
  std::map<std::string, std::string> metadata;
};

// `text` is the header, `data_bytes` what follows it. Throws FileError, beginning with `path`, for anything
// but the format's one form. Allocates no more than a small multiple of the text.
SafetensorsHeader parse_safetensors_header(const std::string& path, const std::string& text,
                                           uint64_t data_bytes);

// The opposite, for entries in the order of their bytes. Unpadded. Throws ValueError for text that is not
// UTF-8.
std::string safetensors_header_text(const SafetensorsHeader& header);

}  // namespace limoe
