#include "ops/token_groups.h"

#include "ops/check.h"
#include "tensor/factory.h"

namespace limoe {

TokenGroups token_groups(const char* op, const char* argument, const Tensor& rows, const Tensor& group_of,
                         int64_t groups) {
  expect_floating(op, argument, rows);
  expect_rank(op, argument, rows, 2);
  if (rows.dim(1) == 0)
    throw ShapeError(op, ": ", argument, " is ", rows.shape(), "; expected at least one expert");
  expect_dtype(op, "group_of", group_of, DType::i32);
  expect_shape(op, "group_of", group_of, {rows.dim(0)}, "because ", argument, " is ", rows.shape());
  if (groups < 0) throw ValueError(op, ": groups is ", groups, "; expected 0 or more");

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

double group_weight(const TokenGroups& by_group, const Tensor& dy) {
  return by_group.filled == 0 ? 0 : item(dy) / double(by_group.filled);
}

}  // namespace limoe
