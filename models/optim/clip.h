// The length of the whole gradient, and a bound on it (ops/gradient_norm.h), over a parameter arena.
#pragma once

#include "autograd/parameter.h"

namespace limoe {

// Both wait for the device of the arena, where it is on one.
double gradient_norm(const ParameterArena& arena);

// Returns the norm before clipping. max_norm 0 turns clipping off. A norm that is infinite or NaN is returned
// as it is, and the gradients are left alone: scaling them would hide which of them is broken. Throws
// ValueError for a max_norm that is negative or NaN.
double clip_gradient_norm(ParameterArena& arena, double max_norm);

// The same without waiting: the norm, f64 [], stays on the device.
Tensor clip_gradients(ParameterArena& arena, double max_norm);

}  // namespace limoe
