#include "ops/moe_route.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cuda/moe_route.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/priority_order.h"
#include "ops/top_k.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

// Stands in expert_of for a token with a NaN until expect_ordered() has thrown for it.
constexpr int32_t kNotOrdered = -2;

struct Sizes {
  int64_t tokens, experts, choices, groups;  // N, E, K, G
};

void expect_options(int64_t experts, const RouteOptions& options) {
  if (experts < 1) throw ValueError("moe_route: experts is ", experts, "; expected 1 or more");
  if (options.experts_per_token < 1 || options.experts_per_token > experts)
    throw ValueError("moe_route: experts_per_token is ", options.experts_per_token, "; expected 1..", experts,
                     ", the number of experts");
  if (!(options.capacity_factor >= 0) || std::isinf(options.capacity_factor))
    throw ValueError("moe_route: capacity_factor is ", options.capacity_factor,
                     "; expected 0 (unlimited) or more");
  if (options.capacity_multiple < 1)
    throw ValueError("moe_route: capacity_multiple is ", options.capacity_multiple, "; expected 1 or more");
}

// How many tokens every group holds.
std::vector<int64_t> group_sizes(const Tensor& group_of, int64_t groups) {
  std::vector<int64_t> sizes(groups);
  const int32_t* const group = group_of.data<int32_t>();
  for (int64_t token = 0; token < group_of.dim(0); ++token) {
    if (group[token] < -1 || group[token] >= groups)
      throw ValueError("moe_route: group_of holds ", group[token], " at [", token, "]; expected -1..",
                       groups - 1);
    if (group[token] >= 0) ++sizes[group[token]];
  }
  return sizes;
}

template <class T>
void choose_experts(const T* probs, const int32_t* group_of, Sizes sizes, int32_t* expert_of) {
  parallel_for(sizes.tokens, rows_per_run(sizes.experts), [=](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      int32_t* const chosen = expert_of + token * sizes.choices;
      if (group_of[token] < 0)
        std::fill_n(chosen, sizes.choices, -1);
      else if (!top_k(probs + token * sizes.experts, sizes.experts, sizes.choices, chosen))
        std::fill_n(chosen, sizes.choices, kNotOrdered);
    }
  });
}

void expect_ordered(const int32_t* expert_of, Sizes sizes) {
  for (int64_t token = 0; token < sizes.tokens; ++token)
    if (expert_of[token * sizes.choices] == kNotOrdered)
      throw NonFiniteError("moe_route: probs of token ", token,
                           " hold a NaN; expected numbers, for a NaN has no place in an order");
}

// The routed tokens in the order they are served. Groups are served alone, so one queue does for all.
template <class T>
std::vector<int32_t> queue_of(const T* probs, const int32_t* expert_of, Sizes sizes, bool by_priority) {
  std::vector<int32_t> queue;
  std::vector<T> priorities;
  queue.reserve(sizes.tokens);
  if (by_priority) priorities.reserve(sizes.tokens);
  for (int64_t token = 0; token < sizes.tokens; ++token)
    if (const int32_t first = expert_of[token * sizes.choices]; first >= 0) {
      queue.push_back(int32_t(token));
      if (by_priority) priorities.push_back(probs[token * sizes.experts + first]);
    }
  if (by_priority) sort_by_priority(priorities, queue);
  return queue;
}

// row_of = the choice's slot among those its expert keeps of its group, or kDropped. Returns how many are
// kept: [G, E].
std::vector<int32_t> take_slots(const std::vector<int32_t>& queue, const int32_t* group_of,
                                const int32_t* expert_of, const std::vector<int64_t>& capacity, Sizes sizes,
                                int32_t* row_of) {
  std::fill_n(row_of, sizes.tokens * sizes.choices, kDropped);
  std::vector<int32_t> kept(sizes.groups * sizes.experts);
  for (int64_t k = 0; k < sizes.choices; ++k)
    for (const int32_t token : queue) {
      const int64_t choice = token * sizes.choices + k, group = group_of[token];
      int32_t& used = kept[group * sizes.experts + expert_of[choice]];
      if (used < capacity[group]) row_of[choice] = used++;
    }
  return kept;
}

// Turns slots into rows of the packed buffer, and fills the two tables that lead back.
void pack(std::vector<int32_t> kept, const int32_t* group_of, const int32_t* expert_of, Sizes sizes,
          int32_t* row_of, int32_t* choice_of, int32_t* row_begin) {
  int32_t next = 0;
  for (int64_t expert = 0; expert < sizes.experts; ++expert) {
    row_begin[expert] = next;
    for (int64_t group = 0; group < sizes.groups; ++group) {
      int32_t& first = kept[group * sizes.experts + expert];  // from a count to the first row
      const int32_t count = first;
      first = next;
      next += count;
    }
  }
  row_begin[sizes.experts] = next;
  std::fill_n(choice_of, sizes.tokens * sizes.choices, -1);
  for (int64_t choice = 0; choice < sizes.tokens * sizes.choices; ++choice) {
    if (row_of[choice] == kDropped) continue;
    row_of[choice] += kept[group_of[choice / sizes.choices] * sizes.experts + expert_of[choice]];
    choice_of[row_of[choice]] = int32_t(choice);
  }
}

std::vector<int64_t> group_capacities(const Tensor& group_of, Sizes sizes, const RouteOptions& options) {
  std::vector<int64_t> capacities = group_sizes(group_of, sizes.groups);
  for (int64_t& tokens : capacities) tokens = expert_capacity(tokens, sizes.experts, options);
  return capacities;
}

template <class NewTable>
Routing empty_routing(Sizes sizes, const NewTable& new_table) {
  const Shape by_choice{sizes.tokens, sizes.choices};
  return {new_table(by_choice), new_table(by_choice), new_table({sizes.tokens * sizes.choices}),
          new_table({sizes.experts + 1})};
}

template <class T>
void route_cpu(const T* probs, const int32_t* group_of, const std::vector<int64_t>& capacity, Sizes sizes,
               bool by_priority, Routing& routing) {
  int32_t* const expert_of = routing.expert_of.mutable_data<int32_t>();
  int32_t* const row_of = routing.row_of.mutable_data<int32_t>();
  choose_experts(probs, group_of, sizes, expert_of);
  expect_ordered(expert_of, sizes);
  const std::vector<int32_t> queue = queue_of(probs, expert_of, sizes, by_priority);
  pack(take_slots(queue, group_of, expert_of, capacity, sizes, row_of), group_of, expert_of, sizes, row_of,
       routing.choice_of.mutable_data<int32_t>(), routing.row_begin.mutable_data<int32_t>());
}

// What a kernel was given it cannot be asked about without waiting for it: on a device indices are taken as
// they are.
void expect_indices(const char* op, const char* argument, const Tensor& indices, int64_t limit) {
  if (indices.device().kind != DeviceKind::cpu) return;
  const Tensor dense = contiguous(indices);
  const int32_t* const index = dense.data<int32_t>();
  for (int64_t i = 0; i < dense.element_count(); ++i)
    if (index[i] < -1 || index[i] >= limit)
      throw ValueError(op, ": ", argument, " holds ", index[i], " at element ", i, "; expected -1..",
                       limit - 1);
}

}  // namespace

int64_t expert_capacity(int64_t tokens, int64_t experts, const RouteOptions& options) {
  expect_options(experts, options);
  if (tokens < 0) throw ValueError("moe_route: tokens is ", tokens, "; expected 0 or more");
  if (tokens == 0 || options.capacity_factor == 0) return tokens;
  const double wanted =
      double(tokens) * double(options.experts_per_token) * options.capacity_factor / double(experts);
  const double rounded =
      options.rounding == CapacityRounding::ceil ? std::ceil(wanted) : std::nearbyint(wanted);
  if (rounded < 1)
    throw ValueError("moe_route: the capacity of an expert is ", rounded, " of ", tokens,
                     " tokens; expected 1 or more; raise the capacity factor, now ", options.capacity_factor,
                     ", or round up");
  const int64_t capacity = int64_t(std::min(rounded, 0x1p52));  // more than this is no limit at all
  return run_count(capacity, options.capacity_multiple) * options.capacity_multiple;
}

Routing moe_route(const Tensor& probs, const Tensor& group_of, int64_t groups, const RouteOptions& options) {
  expect_rank("moe_route", "probs", probs, 2);
  expect_dtype("moe_route", "group_of", group_of, DType::i32);
  expect_shape("moe_route", "group_of", group_of, {probs.dim(0)}, "because probs is ", probs.shape());
  if (groups < 0) throw ValueError("moe_route: groups is ", groups, "; expected 0 or more");
  const Sizes sizes{probs.dim(0), probs.dim(1), options.experts_per_token, groups};
  expect_options(sizes.experts, options);
  if (sizes.tokens > std::numeric_limits<int32_t>::max() / sizes.choices)
    throw ShapeError("moe_route: probs is ", probs.shape(), "; expected at most 2^31 - 1 choices, at ",
                     sizes.choices, " a token");

  expect_same_device("moe_route", "group_of", group_of, "probs", probs);
  const Tensor in = contiguous(probs), group = contiguous(group_of);
  const auto table = [&](const Shape& shape) { return empty(shape, DType::i32, probs.device()); };
  Routing routing;
  dispatch(
      "moe_route", in,
      [&]<class T>(OnCpu<T>) {
        const std::vector<int64_t> capacity = group_capacities(group, sizes, options);
        routing = empty_routing(sizes, table);
        route_cpu(in.data<T>(), group.data<int32_t>(), capacity, sizes, options.batch_priority, routing);
      },
      [&]<class T>(OnCuda<T> on) {
        const cuda::RouteSizes on_device{sizes.tokens, sizes.experts, sizes.choices, sizes.groups};
        Tensor scratch = table({cuda::route_scratch_size(on_device)});
        routing = empty_routing(sizes, table);
        cuda::moe_route(
            on.stream, in.device_data<T>(), group.device_data<int32_t>(), on_device,
            {options.capacity_factor, options.rounding == CapacityRounding::round, options.capacity_multiple},
            options.batch_priority, scratch.mutable_device_data<int32_t>(),
            {routing.expert_of.mutable_device_data<int32_t>(), routing.row_of.mutable_device_data<int32_t>(),
             routing.choice_of.mutable_device_data<int32_t>(),
             routing.row_begin.mutable_device_data<int32_t>()});
      });
  return routing;
}

void expect_routing(const char* op, const Routing& routing, int64_t tokens) {
  expect_dtype(op, "routing.row_of", routing.row_of, DType::i32);
  expect_dtype(op, "routing.choice_of", routing.choice_of, DType::i32);
  expect_rank(op, "routing.row_of", routing.row_of, 2);
  expect_dim(op, "routing.row_of", routing.row_of, 0, tokens, "because there are ", tokens, " tokens");
  const int64_t rows = routing.row_of.element_count();
  expect_shape(op, "routing.choice_of", routing.choice_of, {rows}, "because row_of is ",
               routing.row_of.shape());
  expect_indices(op, "routing.row_of", routing.row_of, rows);
  expect_indices(op, "routing.choice_of", routing.choice_of, rows);
}

RoutingCounts count_routing(const Routing& routing, const Tensor& counted) {
  const int64_t tokens = routing.expert_of.dim(0), choices = routing.expert_of.dim(1);
  const int64_t experts = routing.row_begin.dim(0) - 1;
  expect_dtype("count_routing", "counted", counted, DType::i32);
  expect_shape("count_routing", "counted", counted, {tokens}, "because there are ", tokens, " tokens");
  const auto on_cpu = [](const Tensor& table) { return contiguous(to_device(table, {})); };
  const Tensor mask = on_cpu(counted), expert_of = on_cpu(routing.expert_of), row_of = on_cpu(routing.row_of);
  expect_indices("count_routing", "routing.expert_of", expert_of, experts);
  RoutingCounts counts{std::vector<int64_t>(experts), std::vector<int64_t>(experts)};
  for (int64_t choice = 0; choice < tokens * choices; ++choice) {
    const int32_t expert = expert_of.data<int32_t>()[choice];
    if (expert < 0 || mask.data<int32_t>()[choice / choices] < 0) continue;
    const bool kept = row_of.data<int32_t>()[choice] != kDropped;
    ++counts.chosen[expert];
    ++counts.total_chosen;
    counts.kept[expert] += kept;
    counts.total_kept += kept;
  }
  return counts;
}

}  // namespace limoe
