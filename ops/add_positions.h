// add_positions: y[b, t] = x[b, t] + positions[t], the same positions for every sequence of a batch.
//
// x, y: [B, T, D], positions: [T, D]; f32 or f64. dx = dy, dpositions = sum of dy over the batch, in an order
// that depends on the shape alone.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var add_positions(const Var& x, const Var& positions);

Tensor add_positions_forward(const Tensor& x, const Tensor& positions);
Tensor add_positions_backward(const Tensor& dy);  // dpositions

}  // namespace limoe
