// The engine: gradients of a loss, from the newest node to the oldest.
//
// The pending gradients are kept in order of node id and the newest is always taken next. An input is older
// than its users, so when a node is taken all its users have run and its gradient is complete: no topological
// sort, no recursion and no visited set. A node lets go of its saved tensors as soon as it has run, so a
// graph can be run once.
//
// Gradients of leaves are added to what is there, at once, so that no step holds those of all parameters
// twice, or written over it where it counts as zeros; all others are assigned. The first contribution to a
// value is kept as it is; a second one is added in place only when nobody else holds that memory (`add` hands
// the same dy to both inputs).
#pragma once

#include <functional>
#include <vector>

#include "autograd/var.h"

namespace limoe {

struct GradientSeed {
  Var value;
  Tensor gradient;  // of the loss with respect to `value`
};

void backward(const Var& loss);                         // loss has one element; its gradient is 1
void backward(const std::vector<GradientSeed>& seeds);  // several roots in one pass

// Called before (done false) and after (done true) each node's backward function while it is set; an empty
// function takes it away. This is how the tracer sees the way back. One observer for the thread.
using BackwardObserver = std::function<void(const Node& node, bool done)>;
void set_backward_observer(BackwardObserver observer);

}  // namespace limoe
