// The MLPs of ops/mlp.h on the CPU, a block of rows at a time from x to y: what lies between the two layers
// stays in the second-level cache, and of it only the hidden layer before gelu is written to memory.
//
// For kernels so small that both, their gradients and a block fit that cache; then fetching and storing
// hidden layers is what such an MLP spends its time on. In bf16 with matrix tiles: ops/mlp_amx.h.
//
// Rows of an expert are cut into runs and these into blocks. Gradients of kernels and biases are summed over
// a run by one thread and then, in order, over the runs of an expert. The cut depends on sizes and counts
// alone, so the bits do not depend on the number of threads.
//
// For the .cpp files of ops.
#pragma once

#include <cstdint>

#include "ops/matmul_precision.h"
#include "ops/token_rows.h"

namespace limoe {

struct MlpSizes {
  int64_t experts, inputs, hidden, outputs;  // E, D, M, O
  MatmulPrecision precision = MatmulPrecision::fp32;
};

bool mlp_fits_blocks(const MlpSizes& sizes);

template <class T>
struct MlpParts {
  T* up;         // [E, D, M]
  T* up_bias;    // [E, M]
  T* down;       // [E, M, O]
  T* down_bias;  // [E, O]
};

// x [R, D], row_begin [E + 1]. Writes hidden [R, M] and y [R, O] in the rows of experts.
//
// With tokens, x [N, D] is theirs: a block's rows are gathered from it while they are in the cache, and from
// there `gated` [N, O] gets gates[t] * y[r] for the tokens that have a row. The same bits as by moe_dispatch
// before and moe_combine after it, without their passes over memory.
template <class T>
void mlp_forward_by_blocks(const T* x, const MlpParts<const T>& weights, const int32_t* row_begin,
                           const MlpSizes& sizes, T* hidden, T* y, const TokenRows<T>& tokens = {},
                           T* gated = nullptr);

// Writes dx [R, D] in the rows of experts, and all of the weights' gradients. With tokens, x, dy and dx are
// theirs, y is what the forward pass wrote, and dgates [N] is written for tokens that have a row.
template <class T>
void mlp_backward_by_blocks(const T* x, const T* hidden, const MlpParts<const T>& weights,
                            const int32_t* row_begin, const T* dy, const MlpSizes& sizes, T* dx,
                            const MlpParts<T>& gradients, const TokenRows<T>& tokens = {},
                            const T* y = nullptr, T* dgates = nullptr);

}  // namespace limoe
