// Where each expert's rows begin (ops/grouped_linear.h), checked. For the .cpp files of ops.
#pragma once

#include "ops/check.h"
#include "tensor/factory.h"

namespace limoe {

inline void expect_row_begin(const char* op, const Tensor& row_begin, int64_t rows) {
  const int32_t* const begin = row_begin.data<int32_t>();
  const int64_t experts = row_begin.dim(0) - 1;
  if (begin[0] != 0) throw ValueError(op, ": row_begin holds ", begin[0], " at [0]; expected 0");
  for (int64_t expert = 0; expert < experts; ++expert)
    if (begin[expert + 1] < begin[expert] || begin[expert + 1] > rows)
      throw ValueError(op, ": row_begin holds ", begin[expert + 1], " at [", expert + 1, "]; expected ",
                       begin[expert], "..", rows);
}

// As contiguous memory, checked. What it holds on a device stays there: its kernels cut it to fit.
inline Tensor checked_row_begin(const char* op, const Tensor& row_begin, int64_t experts,
                                const char* like_name, const Tensor& like) {
  expect_dtype(op, "row_begin", row_begin, DType::i32);
  expect_shape(op, "row_begin", row_begin, {experts + 1}, "because there are ", experts, " experts");
  expect_same_device(op, "row_begin", row_begin, like_name, like);
  const Tensor begins = contiguous(row_begin);
  if (like.device().kind == DeviceKind::cpu) expect_row_begin(op, begins, like.dim(0));
  return begins;
}

}  // namespace limoe
