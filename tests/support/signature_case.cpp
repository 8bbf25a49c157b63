#include "tests/support/signature_case.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "autograd/backward.h"
#include "ops/op_table.h"
#include "tensor/factory.h"
#include "tensor/safetensors.h"
#include "tests/support/limoe_says.h"
#include "tests/support/scratch_folder.h"

namespace limoe::testing {
namespace {

constexpr uint64_t kGradientStream = 1 << 21;

bool is_differentiated(const OpSignature& op, const std::string& name) {
  const InputSlot* slot = input_slot(op, name);
  return slot && slot->kind == InputKind::differentiable;
}

bool has_gradient(const OpSignature& op) {
  return std::any_of(op.inputs.begin(), op.inputs.end(),
                     [](const InputSlot& slot) { return slot.kind == InputKind::differentiable; });
}

bool all_finite(const Tensor& tensor) {
  const std::vector<double> values = to_vector<double>(tensor);
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

NamedTensors in_dtype(const NamedTensors& tensors, DType dtype) {
  NamedTensors converted;
  for (const auto& [name, tensor] : tensors)
    converted[name] = is_floating(tensor.dtype()) ? to_dtype(tensor, dtype) : tensor;
  return converted;
}

Tensor upstream(const Tensor& y, size_t output) {
  return to_dtype(random_normal(y.shape(), 0, 1, 1, kGradientStream + output, DType::f64), y.dtype());
}

// What the op itself gives, under the names that a run writes; `seeds` gets d<output>.
NamedTensors direct_results(const OpSignature& op, const NamedTensors& inputs, const DirectCall& direct,
                            NamedTensors& seeds) {
  NamedVars vars;
  for (const auto& [name, tensor] : inputs)
    vars[name] = is_differentiated(op, name) ? leaf(tensor) : Var(tensor);
  const Vars outputs = direct(vars);
  REQUIRE(outputs.size() == op.outputs.size());
  NamedTensors results;
  std::vector<GradientSeed> roots;
  for (size_t i = 0; i < outputs.size(); ++i) {
    results[op.outputs[i].name] = outputs[i].value();
    if (!outputs[i].wants_gradient()) continue;
    const Tensor dy = upstream(outputs[i].value(), i);
    seeds["d" + op.outputs[i].name] = dy;
    roots.push_back({outputs[i], dy});
  }
  if (!roots.empty()) backward(roots);
  for (const auto& [name, var] : vars)
    if (var.wants_gradient()) results["d" + name] = var.gradient();
  return results;
}

class SignatureCheck {
 public:
  SignatureCheck(const OpSignature& op, NamedTensors inputs, const NamedTexts& parameters)
      : op_(op), inputs_(std::move(inputs)) {
    for (const auto& [name, text] : parameters) {
      flags_.push_back("--" + name);
      flags_.push_back(text);
    }
  }

  void agrees(DType dtype, const DirectCall& direct) const {
    NamedTensors seeds;
    const NamedTensors wanted = direct_results(op_, in_dtype(inputs_, dtype), direct, seeds);
    NamedTensors file = inputs_;  // f64: --dtype converts
    file.insert(seeds.begin(), seeds.end());
    std::vector<std::string> more{"--dtype", std::string(name_of(dtype))};
    if (has_gradient(op_)) more.push_back("--grad");
    const Said said = run(file, more);
    REQUIRE_MESSAGE(said.status == 0, said.errors);
    const NamedTensors got = read_safetensors(folder_ / "out.safetensors").tensors;
    CHECK(got.size() == wanted.size());
    for (const auto& [name, tensor] : wanted) {
      CAPTURE(name);
      REQUIRE(got.contains(name));
      CHECK_SAME_BITS(got.at(name), tensor);
      if (is_floating(tensor.dtype())) CHECK(all_finite(got.at(name)));
    }
    for (const auto& [name, tensor] : inputs_)
      if (is_differentiated(op_, name)) CHECK(got.at("d" + name).shape() == tensor.shape());
  }

  void refuses_wrong_names() const {
    for (const InputSlot& slot : op_.inputs) {
      const std::string name = slot.repeated ? slot.name + "0" : slot.name;
      NamedTensors without = inputs_;
      without.erase(name);
      if (!slot.optional) refused(run(without), 1, "\"" + name + "\" is missing");
      without[name + "_"] = zeros({1}, DType::f64);
      refused(run(without), 1, "\"" + name + "_\" is no input; the nearest one is " + name);
    }
    refused(run(inputs_, {"--no-parameter", "1"}), 2, "--no-parameter is no flag");
    const std::string other = op_.name == "patchify" ? "heads" : "patch";  // a parameter of another op
    refused(run(inputs_, {"--" + other, "1"}), 2, "\"" + other + "\" is no parameter");
    for (const ParameterSlot& slot : op_.parameters)
      if (slot.type != ParameterType::word) refuses_value(slot.name);
  }

 private:
  Said run(const NamedTensors& file, const std::vector<std::string>& more = {}) const {
    write_safetensors(folder_ / "in.safetensors", file);
    std::vector<std::string> words{
        "ops", "run", op_.name, "--in", folder_ / "in.safetensors", "--out", folder_ / "out.safetensors"};
    words.insert(words.end(), flags_.begin(), flags_.end());
    words.insert(words.end(), more.begin(), more.end());
    return limoe_says(words);
  }

  void refuses_value(const std::string& parameter) const {
    SignatureCheck other(op_, inputs_, {});
    other.flags_ = flags_;
    const auto flag = std::find(other.flags_.begin(), other.flags_.end(), "--" + parameter);
    if (flag != other.flags_.end()) other.flags_.erase(flag, flag + 2);
    refused(other.run(inputs_, {"--" + parameter, "1.x"}), 2, parameter + " is \"1.x\"; expected ");
  }

  static void refused(const Said& said, int status, const std::string& reason) {
    CHECK(said.status == status);
    CHECK_MESSAGE(contains(said.errors, reason), said.errors, " lacks: ", reason);
    CHECK(std::count(said.errors.begin(), said.errors.end(), '\n') == 1);
  }

  const OpSignature& op_;
  NamedTensors inputs_;
  std::vector<std::string> flags_;
  ScratchFolder folder_;
};

}  // namespace

void check_signature(const std::string& op, const NamedTensors& inputs, const NamedTexts& parameters,
                     const DirectCall& direct) {
  CAPTURE(op);
  const SignatureCheck check(find_op(op), inputs, parameters);
  check.agrees(DType::f64, direct);
  check.agrees(DType::f32, direct);
  check.refuses_wrong_names();
}

}  // namespace limoe::testing
