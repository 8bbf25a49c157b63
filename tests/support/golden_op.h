// Single operators against tests/golden/ops.safetensors, numbers of an independent implementation in f64.
#pragma once

#include <string>
#include <vector>

#include "tests/support/op_case.h"

namespace limoe::testing {

// `name` of a case: golden_op("attention.mixed", "qkv"). Throws ValueError naming the nearest known name.
Tensor golden_op(const std::string& op_case, const std::string& name);

// y = run(the named inputs of the case, in order) and the gradient of every one of them, against the stored
// y and d<input>, given the stored dy (1 where none is stored). As doctest checks.
void check_golden(const std::string& op_case, const std::vector<std::string>& inputs,
                  const std::function<Var(const Vars& in)>& run);

}  // namespace limoe::testing
