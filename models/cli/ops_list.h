// The ops as `limoe ops list` shows them: all in a table, one in full, all as JSON.
#pragma once

#include <string>

#include "ops/signature.h"

namespace limoe {

std::string table_of_ops();
std::string page_of_op(const OpSignature& op);

// [{"name", "summary", "inputs": [{"name", "shape", "meaning", "dtype", "differentiable", "optional",
// "repeated"}], "outputs": [{"name", "shape", "meaning"}], "parameters": [{"name", "type", "meaning",
// "default"}]}], `default` null where a value must be given.
std::string json_of_ops();

}  // namespace limoe
