// Rows: "all leading axes are rows". What every row kernel is told about a tensor's shape.
#pragma once

#include <cstdint>

namespace limoe {

struct Rows {
  int64_t count = 0;  // product of all axes but the last
  int64_t width = 0;  // the last axis
};

}  // namespace limoe
