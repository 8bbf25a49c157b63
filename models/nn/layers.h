// The layers a Transformer block is made of: plain structs of Vars and one function each.
//
// x: [N, D], one token matrix for all sequences (ops/sequences.h). Parameters are found in the arena by name.
// Activations may be bf16 where the arena is f32, the master weights: every layer then casts its parameters
// to the dtype of x. On the CPU activations are f32 and a precision of bf16 is that of linear layers'
// products alone (ops/matmul_precision.h).
#pragma once

#include <string>
#include <vector>

#include "autograd/parameter.h"
#include "ops/matmul_precision.h"
#include "ops/sequences.h"

namespace limoe {

// x itself when it is of that dtype, else cast(x): parameters and what is computed in f32 beside activations
// in bf16.
Var as_dtype(const Var& x, DType dtype);

struct LayerNorm {
  Var scale, bias;  // [D]
  LayerNorm(const ParameterArena& arena, const std::string& name);
  Var operator()(const Var& x) const;
  // {x + addend, the norm of it}: a residual add and the norm behind it in one pass.
  std::vector<Var> operator()(const Var& x, const Var& addend) const;
};

struct Linear {
  Var kernel, bias;  // [in, out], [out]
  MatmulPrecision precision;
  Linear(const ParameterArena& arena, const std::string& name, MatmulPrecision precision);
  Var operator()(const Var& x) const;
};

// out(softmax(q k^T / sqrt(D/H)) v), each sequence by itself; every token is a key.
struct SelfAttention {
  Linear qkv, out;
  int64_t heads;
  SelfAttention(const ParameterArena& arena, const std::string& name, int64_t heads,
                MatmulPrecision precision);
  Var operator()(const Var& x, const Sequences& sequences) const;
};

struct Mlp {
  Linear up, down;
  Mlp(const ParameterArena& arena, const std::string& name, MatmulPrecision precision);
  Var operator()(const Var& x) const;  // down(gelu(up(x)))
};

}  // namespace limoe
