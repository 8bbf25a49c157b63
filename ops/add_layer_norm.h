// add_layer_norm: the residual add and the norm behind it:   sum = x + addend,   y = layer_norm(sum)
//
// layer_norm as in layer_norm.h; x, addend, sum, y: [..., D], scale and bias: [D]. Both outputs are used, the
// sum by the next residual add. One pass over memory does both; the gradient that reaches the sum past the
// norm is added in the norm's own backward pass.
#pragma once

#include <vector>

#include "autograd/var.h"
#include "ops/layer_norm.h"

namespace limoe {

// {sum, y}
std::vector<Var> add_layer_norm(const Var& x, const Var& addend, const Var& scale, const Var& bias,
                                double epsilon = 1e-6);

struct AddLayerNormOutput {
  Tensor sum;
  LayerNormOutput norm;  // of the sum
};
AddLayerNormOutput add_layer_norm_forward(const Tensor& x, const Tensor& addend, const Tensor& scale,
                                          const Tensor& bias, double epsilon);

// dx is the gradient of x and of addend. dsum may be undefined: nothing flowed past the norm.
LayerNormGradients add_layer_norm_backward(const AddLayerNormOutput& output, const Tensor& scale,
                                           const Tensor& dsum, const Tensor& dy);

}  // namespace limoe
