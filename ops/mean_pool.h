// mean_pool: the mean over the valid tokens of each sequence.
//
// x [N, D], f32 or f64, packed as in sequences.h -> y [sequences, D]. valid: i32 [N], where 0 means padding,
// or an undefined tensor, where every token counts. A sequence without valid tokens gives zeros and gets none
// of the gradient: dx[token] = dy[sequence] / (number of valid tokens) if the token is valid, else 0.
#pragma once

#include "autograd/var.h"
#include "ops/sequences.h"

namespace limoe {

Var mean_pool(const Var& x, const Tensor& valid, const Sequences& sequences);

Tensor mean_pool_forward(const Tensor& x, const Tensor& valid, const Sequences& sequences);
Tensor mean_pool_backward(const Tensor& valid, const Sequences& sequences, const Tensor& dy);

}  // namespace limoe
