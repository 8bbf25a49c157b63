// The length of the whole gradient, and a bound on it (Pascanu et al., "On the difficulty of training
// recurrent neural networks", 2013): g *= min(1, max_norm / norm), norm = sqrt(sum of g^2 over all
// parameters).
//
// The sum is taken in double, in an order that does not depend on the number of threads.
#pragma once

#include "autograd/parameter.h"

namespace limoe {

double gradient_norm(const ParameterArena& arena);

// Returns the norm before clipping. max_norm 0 turns clipping off. A norm that is infinite or NaN is returned
// as it is, and the gradients are left alone: scaling them would hide which of them is broken. Throws
// ValueError for a max_norm that is negative or NaN.
double clip_gradient_norm(ParameterArena& arena, double max_norm);

}  // namespace limoe
