#include "tensor/dtype.h"

#include <ostream>

#include "tensor/error.h"

namespace limoe {

size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 4;
    case DType::bf16:
      return 2;
    case DType::i32:
      return 4;
    case DType::f64:
      return 8;
  }
  throw DTypeError("size_of: dtype number ", int(dtype), " is unknown; expected f32, bf16, i32 or f64");
}

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::bf16:
      return "bf16";
    case DType::i32:
      return "i32";
    case DType::f64:
      return "f64";
  }
  throw DTypeError("name_of: dtype number ", int(dtype), " is unknown; expected f32, bf16, i32 or f64");
}

DType parse_dtype(std::string_view name) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::i32, DType::f64})
    if (name == name_of(dtype)) return dtype;
  throw ValueError("dtype: \"", name, "\" is unknown; expected f32, bf16, i32 or f64");
}

std::ostream& operator<<(std::ostream& out, DType dtype) {
  return out << name_of(dtype);
}

}  // namespace limoe
