// Top-k routing with a capacity limit: which experts a token goes to, and where in the expert buffer it lies.
//
// N tokens, E experts, K experts per token, G groups, R = N * K rows of the expert buffer.
//
//   1. Every token chooses the K experts of the largest probability, in descending order; of equal ones, the
//      lower index.
//   2. The tokens of a group queue by descending first probability (batch priority routing, BPR: Riquelme et
//      al. 2021, "Scaling vision with sparse mixture of experts"); equal ones, and all of them without BPR,
//      in array order.
//   3. All first choices are placed in that order, then all second choices, and so on. An expert takes at
//   most
//      `capacity` choices of a group; the others are dropped.
//
// Every group is routed alone, with the capacity of its own count of tokens. The buffer is packed: it holds
// the kept choices expert by expert, inside an expert by group, inside a group in the order they were placed;
// rows that nobody uses lie at the end. Nothing here is differentiable: gradients reach the router through
// the gates (ops/select_gates.h) and the losses.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace limoe {

inline constexpr int32_t kDropped = -1;

enum class CapacityRounding { ceil, round };  // round: half to even, as Python

struct RouteOptions {
  int64_t experts_per_token = 1;
  double capacity_factor = 1.05;  // 0: unlimited (dropless)
  CapacityRounding rounding = CapacityRounding::ceil;
  int64_t capacity_multiple = 4;  // capacities are raised to a multiple of this
  bool batch_priority = true;     // false: array order
};

// rounding(tokens * K * capacity_factor / experts), raised to a multiple; `tokens` when unlimited, for no
// expert can be chosen more often. 0 for no tokens. Throws ValueError for options out of range and when the
// capacity is less than 1.
int64_t expert_capacity(int64_t tokens, int64_t experts, const RouteOptions& options);

struct Routing {
  Tensor expert_of;  // i32 [N, K]; -1 for a token that is not routed
  Tensor row_of;     // i32 [N, K]: row of the expert buffer, or kDropped
  Tensor choice_of;  // i32 [N * K]: row -> token * K + k; -1 for a row nobody uses
  Tensor row_begin;  // i32 [E + 1]: expert e owns rows row_begin[e] .. row_begin[e + 1] - 1
};

// probs: [N, E], f32 or f64, on a device f32 or bf16; rows need not add up to 1. group_of: i32 [N], beside
// probs: the group a token is routed in; -1 for a token that is neither routed nor counted. On the CPU throws
// ValueError naming the token whose probabilities hold a NaN, or a group whose capacity is less than 1. A
// device does not wait to find out: there a NaN is chosen and served before all numbers, so that it shows in
// the gates, and a capacity less than 1 keeps nothing.
Routing moe_route(const Tensor& probs, const Tensor& group_of, int64_t groups, const RouteOptions& options);

// Throws unless the routing is one of `tokens` tokens, with (on the CPU) every index in its range.
void expect_routing(const char* op, const Routing& routing, int64_t tokens);

// How often every expert was chosen, and how many of those choices it kept, before and after the capacity
// limit.
struct RoutingCounts {
  std::vector<int64_t> chosen, kept;  // by expert
  int64_t total_chosen = 0, total_kept = 0;
};

// Over the tokens with counted[n] >= 0; counted: i32 [N]. Tables on a device are read back.
RoutingCounts count_routing(const Routing& routing, const Tensor& counted);

}  // namespace limoe
