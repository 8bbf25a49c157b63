#include "models/optim/clip.h"

#include "ops/gradient_norm.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {

double gradient_norm(const ParameterArena& arena) {
  return item(gradient_norm_forward(arena.gradients()));
}

Tensor clip_gradients(ParameterArena& arena, double max_norm) {
  if (!(max_norm >= 0))
    throw ValueError("clip_gradient_norm: max_norm is ", max_norm, "; expected 0 or more");
  const Tensor norm = gradient_norm_forward(arena.gradients());
  if (max_norm > 0) clip_by_norm(arena.gradients(), norm, max_norm);
  return norm;
}

double clip_gradient_norm(ParameterArena& arena, double max_norm) {
  return item(clip_gradients(arena, max_norm));
}

}  // namespace limoe
