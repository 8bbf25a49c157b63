#include "ops/transpose.h"

#include "autograd/record.h"

namespace limoe {

Var transpose(const Var& x, int axis_a, int axis_b) {
  return record(
      "transpose", x.value().transpose(axis_a, axis_b), {x},
      [axis_a, axis_b](const Tensor& dy, InputGradients& d) { d.set(0, dy.transpose(axis_a, axis_b)); });
}

}  // namespace limoe
