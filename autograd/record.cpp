#include "autograd/record.h"

#include <algorithm>

#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

thread_local bool recording_flag = true;
thread_local RecordObserver record_observer;

void observe(const char* op, std::span<const Var> inputs, std::span<const Tensor> ys) {
  const std::string& scope = NameScope::current();
  const std::string full_name = scope.empty() ? op : scope + "/" + op;
  for (const Tensor& y : ys) y.name_memory(full_name);
  if (record_observer) record_observer(full_name, inputs, ys);
}

bool needs_node(const std::vector<Var>& inputs) {
  return recording_flag &&
         std::any_of(inputs.begin(), inputs.end(), [](const Var& x) { return x.wants_gradient(); });
}

std::vector<std::shared_ptr<Node>> nodes_of(const std::vector<Var>& inputs) {
  std::vector<std::shared_ptr<Node>> nodes;
  nodes.reserve(inputs.size());
  for (const Var& input : inputs) nodes.push_back(input.node());
  return nodes;
}

}  // namespace

bool recording() {
  return recording_flag;
}

NoGradScope::NoGradScope() : outer_(recording_flag) {
  recording_flag = false;
}
NoGradScope::~NoGradScope() {
  recording_flag = outer_;
}
GradScope::GradScope() : outer_(recording_flag) {
  recording_flag = true;
}
GradScope::~GradScope() {
  recording_flag = outer_;
}

const Tensor& Saved::get() const {
  if (recipe_) return recipe_->value();
  if (tensor_.write_count() != writes_)
    throw ValueError("backward: saved ", name_, " ", tensor_.shape(),
                     " was overwritten after the forward pass");
  return tensor_;
}

Tensor Saved::take() {
  Tensor taken = get();
  recipe_.reset();
  tensor_ = Tensor();
  writes_ = 0;
  return taken;
}

Var record(const char* op, const Tensor& y, const std::vector<Var>& inputs, BackwardFunction backward) {
  observe(op, inputs, {&y, 1});
  if (!needs_node(inputs)) return Var(y);
  return Var(y, std::make_shared<Node>(op, y, nodes_of(inputs), std::move(backward)));
}

// Every output gets a node of its own that hands its gradient to a hub and asks the hub to run by sending it
// an empty gradient. The hub is older than all of them, so it runs once, after the last.
std::vector<Var> record_many(const char* op, const std::vector<Tensor>& ys, const std::vector<Var>& inputs,
                             ManyBackwardFunction backward) {
  observe(op, inputs, ys);
  std::vector<Var> outputs;
  if (!needs_node(inputs)) {
    for (const Tensor& y : ys) outputs.emplace_back(y);
    return outputs;
  }
  auto collected = std::make_shared<std::vector<Tensor>>(ys.size());
  const Tensor nothing = empty({0}, DType::f32, ys.at(0).device());
  const auto run_hub = [collected, backward = std::move(backward)](const Tensor&, InputGradients& gradients) {
    backward(*collected, gradients);
    collected->clear();
  };
  const auto hub = std::make_shared<Node>(op, nothing, nodes_of(inputs), run_hub);
  for (size_t i = 0; i < ys.size(); ++i) {
    const auto hand_over = [collected, nothing, i](const Tensor& dy, InputGradients& gradients) {
      (*collected)[i] = dy;
      gradients.set(0, nothing);
    };
    outputs.emplace_back(ys[i], std::make_shared<Node>(op, ys[i], std::vector{hub}, hand_over));
  }
  return outputs;
}

void set_record_observer(RecordObserver observer) {
  record_observer = std::move(observer);
}

}  // namespace limoe
