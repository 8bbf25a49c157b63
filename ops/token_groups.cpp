#include "ops/token_groups.h"

#include "ops/check.h"
#include "tensor/factory.h"

namespace limoe {

namespace {

void expect_router_rows(const char* op, const char* argument, const Tensor& rows, const Tensor& group_of,
                        int64_t groups) {
  expect_floating(op, argument, rows);
  expect_rank(op, argument, rows, 2);
  if (rows.dim(1) == 0)
    throw ShapeError(op, ": ", argument, " is ", rows.shape(), "; expected at least one expert");
  expect_dtype(op, "group_of", group_of, DType::i32);
  expect_shape(op, "group_of", group_of, {rows.dim(0)}, "because ", argument, " is ", rows.shape());
  expect_same_device(op, "group_of", group_of, argument, rows);
  if (groups < 0) throw ValueError(op, ": groups is ", groups, "; expected 0 or more");
}

}  // namespace

TokenGroups token_groups(const char* op, const char* argument, const Tensor& rows, const Tensor& group_of,
                         int64_t groups) {
  expect_router_rows(op, argument, rows, group_of, groups);
  const Tensor dense = contiguous(group_of);
  const int32_t* const group = dense.data<int32_t>();
  const int64_t count = dense.dim(0);
  TokenGroups by_group;
  by_group.begin.assign(groups + 1, 0);
  for (int64_t token = 0; token < count; ++token) {
    if (group[token] < -1 || group[token] >= groups)
      throw ValueError(op, ": group_of holds ", group[token], " at [", token, "]; expected -1..", groups - 1);
    if (group[token] >= 0) ++by_group.begin[group[token] + 1];
  }
  for (int64_t i = 0; i < groups; ++i) {
    by_group.filled += by_group.begin[i + 1] > 0;
    by_group.begin[i + 1] += by_group.begin[i];
  }
  by_group.tokens.resize(by_group.begin[groups]);
  std::vector<int64_t> next(by_group.begin.begin(), by_group.begin.end() - 1);
  for (int64_t token = 0; token < count; ++token)
    if (group[token] >= 0) by_group.tokens[next[group[token]]++] = int32_t(token);
  return by_group;
}

GroupsOnDevice groups_on_device(const char* op, const char* argument, const Tensor& rows,
                                const Tensor& group_of, int64_t groups) {
  expect_router_rows(op, argument, rows, group_of, groups);
  const cuda::RouterSizes sizes{rows.dim(0), rows.dim(1), groups};
  return {contiguous(group_of), empty({cuda::router_scratch_size(sizes)}, DType::f32, rows.device()), sizes};
}

Tensor loss_on_device(const Tensor& rows) {
  return empty({}, DType::f32, rows.device());
}

double group_weight(const TokenGroups& by_group, const Tensor& dy) {
  return by_group.filled == 0 ? 0 : item(dy) / double(by_group.filled);
}

}  // namespace limoe
