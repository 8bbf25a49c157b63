// What the router losses share: the counted tokens of every group, sums over them, and the mean over groups.
// For the .cpp files of ops.
//
// A router loss is computed on every group alone, over the tokens with group_of[n] = group (-1 is not
// counted: padding, or the other modality), and then averaged over the groups that hold such a token; it is 0
// when none does. Sums are taken in double, in an order that does not depend on the number of threads.
#pragma once

#include <span>
#include <vector>

#include "cuda/router_groups.h"
#include "ops/eigen_maps.h"
#include "tensor/parallel.h"
#include "tensor/tensor.h"

namespace limoe {

using Tokens = std::span<const int32_t>;
constexpr int64_t kTokensPerRun = 1024;

struct TokenGroups {
  std::vector<int32_t> tokens;  // the counted ones, group by group, in array order
  std::vector<int64_t> begin;   // [groups + 1]: where a group starts in `tokens`
  int64_t filled = 0;           // groups that hold a token
};

// Checks router rows [N, E] (E >= 1, a floating dtype) and group_of (i32 [N], -1..groups - 1).
TokenGroups token_groups(const char* op, const char* argument, const Tensor& rows, const Tensor& group_of,
                         int64_t groups);

// The same for kernels, which find a group's tokens themselves: checks the shapes and makes room. Indices out
// of range count as -1 there, for nobody waits to look.
struct GroupsOnDevice {
  Tensor group_of, scratch;
  cuda::RouterSizes sizes;

  const int32_t* ids() const { return group_of.device_data<int32_t>(); }
  float* memory() { return scratch.mutable_device_data<float>(); }
};
GroupsOnDevice groups_on_device(const char* op, const char* argument, const Tensor& rows,
                                const Tensor& group_of, int64_t groups);

// Where a loss is put on the device of `rows`: f32 whatever the rows are.
Tensor loss_on_device(const Tensor& rows);

// body(tokens) for every group that holds a token.
template <class Body>
void for_each_group(const TokenGroups& by_group, const Body& body) {
  for (size_t group = 0; group + 1 < by_group.begin.size(); ++group)
    if (const int64_t first = by_group.begin[group], count = by_group.begin[group + 1] - first; count > 0)
      body(Tokens(by_group.tokens.data() + first, count));
}

// The mean of loss_of(tokens) over the groups that hold a token.
template <class LossOf>
double mean_over_groups(const TokenGroups& by_group, const LossOf& loss_of) {
  double sum = 0;
  for_each_group(by_group, [&](Tokens tokens) { sum += loss_of(tokens); });
  return by_group.filled == 0 ? 0 : sum / double(by_group.filled);
}

// What the loss of a group weighs in the gradient `dy` of that mean.
double group_weight(const TokenGroups& by_group, const Tensor& dy);

// add(some, sums) adds what some of the tokens give to sums [width]. Runs of tokens go to different threads
// and are added in order.
template <class Add>
std::vector<double> sum_over_tokens(Tokens tokens, int64_t width, const Add& add) {
  const int64_t count = int64_t(tokens.size());
  std::vector<double> partials(run_count(count, kTokensPerRun) * width), sums(width);
  parallel_for(count, kTokensPerRun, [&](int64_t begin, int64_t end) {
    add(tokens.subspan(begin, end - begin), partials.data() + begin / kTokensPerRun * width);
  });
  for (size_t i = 0; i < partials.size(); ++i) sums[i % width] += partials[i];
  return sums;
}

// The sum of the tokens' rows, by column.
template <class T>
std::vector<double> sum_of_rows(const T* rows, Tokens tokens, int64_t width) {
  return sum_over_tokens(tokens, width, [=](Tokens some, double* sums) {
    for (const int64_t token : some)
      for (int64_t column = 0; column < width; ++column) sums[column] += double(rows[token * width + column]);
  });
}

// body(some) for runs of the tokens, shared among threads.
template <class Body>
void for_each_run(Tokens tokens, const Body& body) {
  parallel_for(int64_t(tokens.size()), kTokensPerRun,
               [&](int64_t begin, int64_t end) { body(tokens.subspan(begin, end - begin)); });
}

}  // namespace limoe
