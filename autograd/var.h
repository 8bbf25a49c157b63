// Var: a Tensor and, if a gradient can flow to it, the node that made it.
#pragma once

#include <memory>

#include "autograd/node.h"
#include "tensor/tensor.h"

namespace limoe {

class Recipe;

class Var {
 public:
  Var() = default;
  explicit Var(Tensor constant) : value_(std::move(constant)) {}  // no gradient flows to it
  Var(Tensor value, std::shared_ptr<Node> node) : value_(std::move(value)), node_(std::move(node)) {}

  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  int64_t dim(int axis) const { return value_.dim(axis); }
  int rank() const { return value_.rank(); }
  DType dtype() const { return value_.dtype(); }

  bool wants_gradient() const { return node_ != nullptr; }
  const std::shared_ptr<Node>& node() const { return node_; }
  const Tensor& gradient() const;  // of a leaf; throws ValueError for anything else

  // How to make the value again, or null (rematerialize.h).
  const std::shared_ptr<const Recipe>& recipe() const { return recipe_; }
  Var with_recipe(std::shared_ptr<const Recipe> recipe) const {
    Var y = *this;
    y.recipe_ = std::move(recipe);
    return y;
  }

 private:
  Tensor value_;
  std::shared_ptr<Node> node_;
  std::shared_ptr<const Recipe> recipe_;
};

// A value whose gradient is wanted. `gradient` is where it is added up: contiguous, shaped like the value,
// zeroed by the caller; leaf(value) makes one that counts as zeros.
Var leaf(Tensor value, Tensor gradient);
Var leaf(Tensor value);

Var detach(const Var& x);  // the same value as a constant

}  // namespace limoe
