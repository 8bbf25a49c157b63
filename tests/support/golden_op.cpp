#include "tests/support/golden_op.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/nearest_name.h"
#include "tensor/safetensors.h"
#include "tests/support/golden_ops.h"

namespace limoe::testing {
namespace {

void check_close(const std::string& name, const Tensor& got, const Tensor& wanted) {
  const Comparison comparison = close(got, wanted, tolerance::kGoldenF64);
  CHECK_MESSAGE(comparison.ok, name, ": ", comparison.message);
}

}  // namespace

Tensor golden_op(const std::string& op_case, const std::string& name) {
  const std::string key = op_case + "." + name;
  const auto found = golden_ops().tensors.find(key);
  if (found != golden_ops().tensors.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [each, tensor] : golden_ops().tensors) known.push_back(each);
  throw ValueError("ops.safetensors: ", key, " is not there; the nearest name is ", nearest_name(key, known));
}

void check_golden(const std::string& op_case, const std::vector<std::string>& inputs,
                  const std::function<Var(const Vars& in)>& run) {
  Vars leaves;
  for (const std::string& input : inputs) leaves.push_back(leaf(golden_op(op_case, input)));
  const Var y = run(leaves);
  check_close(op_case + ".y", y.value(), golden_op(op_case, "y"));
  const Tensor dy = golden_ops().tensors.contains(op_case + ".dy") ? golden_op(op_case, "dy")
                                                                   : full(y.shape(), 1, DType::f64);
  backward({{y, dy}});
  for (size_t i = 0; i < inputs.size(); ++i)
    check_close(op_case + ".d" + inputs[i], leaves[i].gradient(), golden_op(op_case, "d" + inputs[i]));
}

}  // namespace limoe::testing
