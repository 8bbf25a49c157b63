#include "autograd/node.h"

#include <atomic>

#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

std::atomic<uint64_t> next_id{1};
thread_local std::string scope_path;

}  // namespace

Node::Node(std::string op, const Tensor& output, std::vector<std::shared_ptr<Node>> inputs,
           BackwardFunction backward)
    : id(next_id++),
      op(std::move(op)),
      scope(NameScope::current()),
      shape(output.shape()),
      dtype(output.dtype()),
      device(output.device()),
      inputs(std::move(inputs)),
      backward(std::move(backward)) {}

Node::~Node() {
  std::vector<std::shared_ptr<Node>> pending = std::move(inputs);
  while (!pending.empty()) {
    const std::shared_ptr<Node> node = std::move(pending.back());
    pending.pop_back();
    if (!node || node.use_count() > 1) continue;
    for (std::shared_ptr<Node>& input : node->inputs) pending.push_back(std::move(input));
    node->inputs.clear();
  }
}

const Tensor& Node::settled_gradient() {
  if (gradient_is_none && gradient.defined()) fill_zero(gradient);
  gradient_is_none = false;
  return gradient;
}

Tensor InputGradients::room(size_t input, const Tensor& like) {
  const std::shared_ptr<Node>& target = node_.inputs.at(input);
  const bool own = target && !target->backward && target->gradient_is_none && target->gradient.defined() &&
                   target->shape == like.shape() && target->dtype == like.dtype() &&
                   target->device == like.device();
  if (!own) return empty_like(like);
  target->gradient_is_none = false;  // one room only: the same leaf may be two inputs
  in_place_[input] = true;
  return target->gradient;
}

void InputGradients::set(size_t input, Tensor gradient) {
  const std::shared_ptr<Node>& target = node_.inputs.at(input);
  if (!target) return;
  const auto where = [&] { return concatenate(node_.full_name(), " backward: gradient of input ", input); };
  if (gradient.shape() != target->shape)
    throw ShapeError(where(), " is ", gradient.shape(), "; expected ", target->shape);
  if (gradient.dtype() != target->dtype)
    throw DTypeError(where(), " is ", gradient.dtype(), "; expected ", target->dtype);
  if (gradient.device() != target->device)
    throw DeviceError(where(), " is on ", gradient.device(), "; expected ", target->device);
  if (in_place_[input] && gradient.raw_data() != target->gradient.raw_data())
    throw ValueError(where(), " is elsewhere; expected it in the room that was asked for");
  gradients_[input] = std::move(gradient);
}

NameScope::NameScope(const std::string& name) : outer_length_(scope_path.size()) {
  if (!scope_path.empty()) scope_path += '.';
  scope_path += name;
}

NameScope::~NameScope() {
  scope_path.resize(outer_length_);
}

const std::string& NameScope::current() {
  return scope_path;
}

}  // namespace limoe
