#include "autograd/backward.h"

#include <map>

#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

thread_local BackwardObserver backward_observer;

class Pending {
 public:
  // A leaf's turn would come last of all. Now its gradient is in the cache, and its memory is needed.
  void add(const std::shared_ptr<Node>& node, const Tensor& gradient) {
    if (!node->backward) return add_to_leaf(*node, gradient);
    const auto [at, is_first] = by_id_.try_emplace(node->id, Entry{node, gradient});
    if (is_first) return;
    Tensor& sum = at->second.gradient;
    // `gradient` is the caller's handle, so memory that only the sum holds has exactly one owner.
    if (!sum.owns_memory_alone() || !sum.is_contiguous()) sum = clone(sum);
    add_into(sum, contiguous(gradient));
  }

  struct Entry {
    std::shared_ptr<Node> node;
    Tensor gradient;
  };

  bool empty() const { return by_id_.empty(); }
  Entry take_newest() {
    const auto newest = by_id_.begin();
    Entry entry = std::move(newest->second);
    by_id_.erase(newest);
    return entry;
  }

 private:
  static void add_to_leaf(Node& leaf, const Tensor& gradient) {
    if (!leaf.gradient.defined()) return;
    if (leaf.gradient_is_none)
      copy_into(leaf.gradient, contiguous(gradient));
    else
      add_into(leaf.gradient, contiguous(gradient));
    leaf.gradient_is_none = false;
  }

  std::map<uint64_t, Entry, std::greater<>> by_id_;
};

void run(Pending& pending) {
  while (!pending.empty()) {
    auto [node, dy] = pending.take_newest();
    InputGradients gradients(*node);
    if (backward_observer) backward_observer(*node, false);
    node->backward(dy, gradients);
    if (backward_observer) backward_observer(*node, true);
    dy = Tensor();
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (gradients.is_in_place(i) && !gradients[i].defined())
        throw ValueError(node->full_name(), " backward: gradient of input ", i,
                         " was not set; expected it in the room that was asked for");
      if (!gradients[i].defined() || gradients.is_in_place(i)) continue;
      gradients[i].name_memory(node->full_name() + " backward");
      pending.add(node->inputs[i], gradients[i]);
    }
    node->backward = [](const Tensor&, InputGradients&) {
      throw ValueError(
          "backward: this graph has run already; expected one backward pass for one forward pass");
    };
    node->inputs.clear();
  }
}

}  // namespace

void set_backward_observer(BackwardObserver observer) {
  backward_observer = std::move(observer);
}

void backward(const std::vector<GradientSeed>& seeds) {
  for (const GradientSeed& seed : seeds) {
    if (!seed.value.wants_gradient())
      throw ValueError("backward: a value ", seed.value.shape(),
                       " has no graph; expected one made from a leaf while recording");
    if (seed.gradient.shape() != seed.value.shape())
      throw ShapeError("backward: the seed is ", seed.gradient.shape(), "; expected ", seed.value.shape());
    if (seed.gradient.dtype() != seed.value.dtype())
      throw DTypeError("backward: the seed is ", seed.gradient.dtype(), "; expected ", seed.value.dtype());
  }
  Pending pending;  // after all checks: a leaf's gradient is added at once
  for (const GradientSeed& seed : seeds) pending.add(seed.value.node(), seed.gradient);
  run(pending);
}

void backward(const Var& loss) {
  if (loss.value().element_count() != 1)
    throw ShapeError("backward: the loss is ", loss.shape(), "; expected one element");
  backward({{loss, full(loss.shape(), 1.0, loss.dtype(), loss.value().device())}});
}

}  // namespace limoe
