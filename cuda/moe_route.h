// moe_route on the device; what it computes is in ops/moe_route.h.
//
// Seven kinds of kernels, no word from the host and no atomics for places. Every token chooses its experts (a
// segment of a warp a token); a stable sort by probability makes the queue; the choices, all first ones
// before all second ones, each in queue order, are sorted stably by (expert, group), so that a choice's place
// in its run is its slot; prefix sums over the runs' kept choices give the rows.
//
// Two things a kernel cannot do are throw and ask. A NaN therefore ranks above every number: its token is
// chosen and queued first, and the NaN shows in its gate. A capacity below 1 keeps nothing.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

struct RouteSizes {
  int64_t tokens, experts, choices, groups;  // N, E, K, G
};

// expert_capacity() without its checks, a few operations of which every one is exactly rounded: the same
// number on the host and on the device.
struct RouteCapacity {
  double factor;  // 0: unlimited
  bool round_half_even;
  int64_t multiple;
};

struct RouteTables {
  int32_t *expert_of, *row_of;  // [N, K]
  int32_t* choice_of;           // [N * K]
  int32_t* row_begin;           // [E + 1]
};

int64_t route_scratch_size(const RouteSizes& sizes);  // in i32

// probs: [N, E]; group_of: [N], an index outside 0..G - 1 is a token that is not routed; scratch:
// [route_scratch_size()].
template <class T>
void moe_route(Stream stream, const T* probs, const int32_t* group_of, const RouteSizes& sizes,
               const RouteCapacity& capacity, bool batch_priority, int32_t* scratch,
               const RouteTables& tables);

}  // namespace limoe::cuda
