#include "models/nn/layers.h"

#include "ops/add_layer_norm.h"
#include "ops/attention.h"
#include "ops/cast.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/mlp.h"

namespace limoe {

Var as_dtype(const Var& x, DType dtype) {
  return x.dtype() == dtype ? x : cast(x, dtype);
}

LayerNorm::LayerNorm(const ParameterArena& arena, const std::string& name)
    : scale(arena[name + ".scale"]), bias(arena[name + ".bias"]) {}
Var LayerNorm::operator()(const Var& x) const {
  return layer_norm(x, as_dtype(scale, x.dtype()), as_dtype(bias, x.dtype()));
}
std::vector<Var> LayerNorm::operator()(const Var& x, const Var& addend) const {
  return add_layer_norm(x, addend, as_dtype(scale, x.dtype()), as_dtype(bias, x.dtype()));
}

Linear::Linear(const ParameterArena& arena, const std::string& name, MatmulPrecision precision)
    : kernel(arena[name + ".kernel"]), bias(arena[name + ".bias"]), precision(precision) {}
Var Linear::operator()(const Var& x) const {
  return linear(x, as_dtype(kernel, x.dtype()), as_dtype(bias, x.dtype()), precision);
}

SelfAttention::SelfAttention(const ParameterArena& arena, const std::string& name, int64_t heads,
                             MatmulPrecision precision)
    : qkv(arena, name + ".qkv", precision), out(arena, name + ".out", precision), heads(heads) {}
Var SelfAttention::operator()(const Var& x, const Sequences& sequences) const {
  return out(attention(qkv(x), {}, heads, sequences));
}

Mlp::Mlp(const ParameterArena& arena, const std::string& name, MatmulPrecision precision)
    : up(arena, name + ".up", precision), down(arena, name + ".down", precision) {}
Var Mlp::operator()(const Var& x) const {
  const auto part = [&](const Var& weights) { return as_dtype(weights, x.dtype()); };
  return mlp(x, part(up.kernel), part(up.bias), part(down.kernel), part(down.bias), up.precision);
}

}  // namespace limoe
