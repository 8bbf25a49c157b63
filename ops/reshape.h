// reshape: the same elements in row-major order under another shape. A view when x is contiguous, else a
// copy.
#pragma once

#include "autograd/var.h"

namespace limoe {

Var reshape(const Var& x, const Shape& shape);

}  // namespace limoe
