// Values of one number, for tests of the graph alone.
#pragma once

#include "autograd/var.h"
#include "tensor/factory.h"

namespace limoe::testing {

inline Var scalar(double value) {
  return leaf(full({}, value, DType::f64));
}

inline double gradient_of(const Var& x) {
  return item(x.gradient());
}

}  // namespace limoe::testing
