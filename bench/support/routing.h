// Routings as a training step has them, for the benches of the MoE path.
#pragma once

#include "bench/support/bench_case.h"
#include "bench/support/shapes.h"
#include "ops/moe_route.h"

namespace limoe::bench {

// Router probabilities of random logits, [tokens, experts].
Tensor bench_probs(const TowerShape& tower, DType dtype);

// Theirs, one expert a token, in one group with capacity factor 1.05: some choices are dropped.
Routing bench_routing(const TowerShape& tower);

// row_begin of experts with uneven loads, i32 [experts + 1]: from half of the mean to one and a half of it.
Tensor uneven_row_begin(int64_t rows, int64_t experts);

}  // namespace limoe::bench
