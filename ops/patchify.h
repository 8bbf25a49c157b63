// patchify: cuts pictures into squares and lays each square out as one row.
//
// images [B, H, W, C], f32 or f64 -> [B, (H/P) * (W/P), P * P * C]. Patches run row by row, left to right;
// inside a patch the order is (y, x, channel). H and W must be multiples of P. A linear() on the result is
// the convolution with kernel and stride P of Dosovitskiy et al. 2020 (arXiv 2010.11929), section 3.1. The
// gradient is the same rearrangement backwards.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var patchify(const Var& images, int64_t patch);

Tensor patchify_forward(const Tensor& images, int64_t patch);
Tensor patchify_backward(const Shape& image_shape, int64_t patch, const Tensor& dy);

}  // namespace limoe
