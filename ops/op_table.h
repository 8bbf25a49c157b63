// Every op that has a signature. The table itself is written by the build, from the names of the files
// ops/*_signature.cpp: adding an op edits no list, and no constructor of a global has to be linked in to fill
// it.
#pragma once

#include <string>
#include <vector>

#include "ops/signature.h"

namespace limoe {

const std::vector<OpSignature>& op_signatures();  // by name

// Throws UsageError naming the nearest known op.
const OpSignature& find_op(const std::string& name);

}  // namespace limoe
