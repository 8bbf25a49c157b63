// Node: how one value was made, and how a gradient goes back through that.
//
// Ids count up, so an input is always older than its user. That order is all the engine needs (backward.h).
// A node's backward function captures Tensors, never Vars: a Tensor knows no graph, so saving an output makes
// no cycle.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace limoe {

class InputGradients;

// Gets the gradient of the loss with respect to the node's output and sets those of the wanted inputs. It
// returns new or shared tensors and never adds: the engine does.
using BackwardFunction = std::function<void(const Tensor& dy, InputGradients& gradients)>;

struct Node {
  Node(std::string op, const Tensor& output, std::vector<std::shared_ptr<Node>> inputs,
       BackwardFunction backward);
  ~Node();  // releases a chain of any length without recursion
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const uint64_t id;
  const std::string op;
  const std::string scope;  // the NameScope it was made in: "blocks.3.moe"
  const Shape shape;        // of the output, and so of its gradient
  const DType dtype;
  const Device device;
  std::vector<std::shared_ptr<Node>> inputs;  // null for an input that wants no gradient
  BackwardFunction backward;                  // empty for a leaf
  Tensor gradient;                            // of a leaf: incoming gradients are added to it
  bool gradient_is_none = false;              // it counts as zeros, whatever its memory holds

  // From here on the leaf's gradient counts as zeros. Its memory is left alone: the next gradient is written
  // over it, which saves writing zeros and adding to them.
  void forget_gradient() { gradient_is_none = true; }
  // The gradient, its memory holding what it counts as.
  const Tensor& settled_gradient();

  std::string full_name() const { return scope.empty() ? op : scope + "/" + op; }
};

class InputGradients {
 public:
  explicit InputGradients(const Node& node)
      : node_(node), gradients_(node.inputs.size()), in_place_(node.inputs.size()) {}

  // True iff somebody needs this input's gradient. Nothing is computed for a frozen or an integer input.
  bool wanted(size_t input) const { return node_.inputs.at(input) != nullptr; }

  // Contiguous memory for the gradient of an input whose shape and kind are `like`'s: a leaf's own while it
  // counts as zeros, otherwise new. It holds anything; whoever asks writes all of it and gives it to set().
  Tensor room(size_t input, const Tensor& like);

  // Throws ShapeError, DTypeError or DeviceError, by op name, unless the gradient fits the input; ignored
  // when it is not wanted.
  void set(size_t input, Tensor gradient);

  const Tensor& operator[](size_t input) const { return gradients_.at(input); }
  bool is_in_place(size_t input) const { return in_place_.at(input); }  // in the leaf's own memory already
  size_t size() const { return gradients_.size(); }

 private:
  const Node& node_;
  std::vector<Tensor> gradients_;
  std::vector<bool> in_place_;
};

// Names the part of a model that is running, for messages: {NameScope a("blocks.3"); {NameScope b("moe");
// ...}} makes nodes whose scope is "blocks.3.moe".
class NameScope {
 public:
  explicit NameScope(const std::string& name);
  ~NameScope();
  NameScope(const NameScope&) = delete;
  NameScope& operator=(const NameScope&) = delete;

  static const std::string& current();

 private:
  const size_t outer_length_;
};

}  // namespace limoe
