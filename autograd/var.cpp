#include "autograd/var.h"

#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {

const Tensor& Var::gradient() const {
  if (!node_ || node_->backward)
    throw ValueError("gradient: asked of a value that is no leaf; expected a leaf");
  return node_->settled_gradient();
}

Var leaf(Tensor value, Tensor gradient) {
  if (!is_floating(value.dtype()))
    throw DTypeError("leaf: value is ", value.dtype(), "; expected a floating dtype");
  if (gradient.shape() != value.shape())
    throw ShapeError("leaf: gradient is ", gradient.shape(), "; expected ", value.shape(), " like the value");
  if (gradient.dtype() != value.dtype())
    throw DTypeError("leaf: gradient is ", gradient.dtype(), "; expected ", value.dtype(), " like the value");
  auto node = std::make_shared<Node>("leaf", value, std::vector<std::shared_ptr<Node>>{}, BackwardFunction{});
  node->gradient = std::move(gradient);
  return Var(std::move(value), std::move(node));
}

Var leaf(Tensor value) {
  Tensor gradient = empty_like(value);
  Var result = leaf(std::move(value), std::move(gradient));
  result.node()->forget_gradient();
  return result;
}

Var detach(const Var& x) {
  return Var(x.value());
}

}  // namespace limoe
