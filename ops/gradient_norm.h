// gradient_norm: the length of a whole gradient, sqrt(sum of g^2), and the bound on it (Pascanu et al., "On
// the difficulty of training recurrent neural networks", 2013): g *= most / norm where norm is above most.
//
// Squares are added in double, in an order that does not depend on the number of threads or lanes. The norm
// is an f64 scalar on the device of the gradients, where clip_by_norm() reads it: nothing waits for the
// device. A norm that is infinite or NaN clips nothing: scaling would hide which gradient is broken.
#pragma once

#include "tensor/tensor.h"

namespace limoe {

Tensor gradient_norm_forward(const Tensor& gradients);  // any shape, contiguous; f64 []

// In place. most > 0.
void clip_by_norm(Tensor& gradients, const Tensor& norm, double most);

}  // namespace limoe
