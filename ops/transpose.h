// transpose: two axes swapped; negative axes count from the last. A view; so is its gradient.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var transpose(const Var& x, int axis_a, int axis_b);

}  // namespace limoe
