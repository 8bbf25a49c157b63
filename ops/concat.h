// concat: tensors joined along one axis; all other axes, dtypes and devices equal; one part or more. A
// negative axis counts from the last. The gradient of a part is its slice of dy.
#pragma once

#include <vector>

#include "autograd/var.h"

namespace limoe {

Var concat(const std::vector<Var>& parts, int axis);

Tensor concat_forward(const std::vector<Tensor>& parts, int axis);

}  // namespace limoe
