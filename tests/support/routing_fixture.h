// Small inputs that tests of the routing ops share.
#pragma once

#include <vector>

#include "ops/moe_route.h"
#include "tensor/factory.h"
#include "tests/support/op_case.h"

namespace limoe::testing {

inline Tensor one_group(int64_t tokens) {
  return zeros({tokens}, DType::i32);
}

// Tokens spread unevenly over groups 0, 1 and 2; every seventh is padding.
inline std::vector<int32_t> groups_of_three(int64_t tokens) {
  std::vector<int32_t> groups(tokens);
  for (int64_t token = 0; token < tokens; ++token)
    groups[token] = token % 7 == 6 ? -1 : int32_t((token * token + token) % 5 % 3);
  return groups;
}

inline Routing beside(const Var& x, const Routing& routing) {
  return {beside(x, routing.expert_of), beside(x, routing.row_of), beside(x, routing.choice_of),
          beside(x, routing.row_begin)};
}

}  // namespace limoe::testing
