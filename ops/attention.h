// attention: y = softmax(q k^T / sqrt(d)) v, for every head of every sequence by itself; not causal.
//
// Vaswani et al. 2017 (arXiv 1706.03762), equation 1. qkv [N, 3D], f32 or f64, with columns q | k | v, each
// of them `heads` blocks of d = D / heads columns; N packed tokens as in sequences.h; y [N, D]. key_valid:
// i32 [N], where 0 means that the token is no key (padding), or an undefined tensor, where every token is
// one. Padding still asks: its row of y is computed. A sequence without any valid key gives zeros.
//
// The forward pass keeps the log-sum-exp of each row of scores, [N, heads]; the backward pass makes the
// probabilities p from it again. So no memory of (sequences x heads x length x length) is ever held, only a
// scratch of (length x two registers of queries) for each run of work. With delta = sum(dy * y) over the
// head's columns, which is sum(p * (dy v^T)) over the keys:
//   dv = p^T dy,   ds = p * (dy v^T - delta) / sqrt(d),   dq = ds k,   dk = ds^T q
#pragma once

#include "autograd/var.h"
#include "ops/sequences.h"

namespace limoe {

Var attention(const Var& qkv, const Tensor& key_valid, int64_t heads, const Sequences& sequences);

struct AttentionOutput {
  Tensor y;    // [N, D]
  Tensor lse;  // [N, heads]; +inf in a sequence without any valid key
};
AttentionOutput attention_forward(const Tensor& qkv, const Tensor& key_valid, int64_t heads,
                                  const Sequences& sequences);
Tensor attention_backward(const Tensor& qkv, const Tensor& key_valid, const AttentionOutput& output,
                          const Sequences& sequences, const Tensor& dy);

}  // namespace limoe
