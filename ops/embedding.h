// embedding: y[t] = table[ids[t]], a row of the table for every id.
//
// table [V, D], f32 or f64; ids i32 of any shape with values 0..V-1 (anything else is a ValueError that names
// the value and its place; on a device, a row of NaN); y: the shape of ids + [D]. dtable[v] = sum of dy over the places that hold v,
// added in their order: places are sorted by id first, so that every row of the table has one writer.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var embedding(const Var& table, const Tensor& ids);

Tensor embedding_forward(const Tensor& table, const Tensor& ids);
Tensor embedding_backward(const Shape& table_shape, const Tensor& ids, const Tensor& dy);

}  // namespace limoe
