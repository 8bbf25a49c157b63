#include "ops/op_table.h"

#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe {

const OpSignature& find_op(const std::string& name) {
  std::vector<std::string> known;
  for (const OpSignature& op : op_signatures()) {
    if (op.name == name) return op;
    known.push_back(op.name);
  }
  throw UsageError("\"", name, "\" is no op; the nearest one is ", nearest_name(name, known));
}

}  // namespace limoe
