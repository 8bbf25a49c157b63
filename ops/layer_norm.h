// layer_norm over the last axis:   y = (x - mean) / sqrt(variance + epsilon) * scale + bias
//
// Ba, Kiros and Hinton 2016 (arXiv 1607.06450), equations 3 and 4. x, y: [..., D], scale and bias: [D]; all
// f32 or all f64; D >= 1. The variance is the biased one (divided by D), taken in a second pass around the
// mean: the one-pass form loses all digits when the mean is large.
//
// With n = (x - mean) * rstd and g = dy * scale:   dx = rstd * (g - mean(g) - n * mean(g * n)), the means
// over the row; dscale = sum of dy * n and dbias = sum of dy over all rows.
#pragma once

#include <functional>

#include "autograd/var.h"

namespace limoe {

Var layer_norm(const Var& x, const Var& scale, const Var& bias, double epsilon = 1e-6);

struct LayerNormOutput {
  Tensor y;
  Tensor mean, rstd;  // [rows]; rstd = 1 / sqrt(variance + epsilon)
};
LayerNormOutput layer_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& bias, double epsilon);
// How to make y again (autograd/rematerialize.h). x is what was normalised.
std::function<Tensor()> layer_norm_again(const Tensor& x, const Tensor& scale, const Tensor& bias,
                                         double epsilon);

struct LayerNormGradients {
  Tensor dx, dscale, dbias;
};
LayerNormGradients layer_norm_backward(const Tensor& x, const Tensor& scale, const Tensor& mean,
                                       const Tensor& rstd, const Tensor& dy);

}  // namespace limoe
