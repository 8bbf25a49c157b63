// safetensors: named tensors in one file (the format of huggingface/safetensors).
//
//   u64 N, little-endian | N bytes of JSON, padded with spaces | the data, to the end of the file
//   {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
//
// The reader is strict, because a checkpoint may come from anywhere: the header is at most 100 MB, keys occur
// once, shapes have at most six axes, and the data is covered without holes or overlap. All of that is
// checked before any tensor is allocated, so a file can make the reader allocate no more than a small
// multiple of its own size. F32, BF16, I32 and F64 are read as they are; F16 and whole numbers of other sizes
// become f32 and i32 where nothing is lost (safetensors_types.h). Any other type is refused, naming the
// tensor, and so is an element that its dtype cannot hold.
//
// The writer's bytes depend on its arguments alone: wide elements first, then by name. The data starts on a
// multiple of 64 bytes, and the file is replaced atomically (atomic_file.h).
#pragma once

#include <map>
#include <string>

#include "tensor/tensor.h"

namespace limoe {

struct SafetensorsFile {
  std::map<std::string, Tensor> tensors;  // on the CPU
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> converted;  // the type in the file, of tensors that became another one
};

// Throws FileError, by path, when the file is absent, malformed or holds what is not read.
SafetensorsFile read_safetensors(const std::string& path);

// Tensors may be views and may be on any device. Throws FileError when the file cannot be written, and
// ValueError for a tensor that holds nothing, is called "__metadata__" or has a name that is not UTF-8.
void write_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace limoe
