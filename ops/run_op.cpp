#include "ops/run_op.h"

#include <algorithm>
#include <cassert>
#include <memory>

#include "autograd/backward.h"
#include "autograd/no_grad.h"
#include "ops/check.h"
#include "tensor/factory.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

bool is_numbered(const std::string& name, const std::string& stem) {
  const std::string digits = name.starts_with(stem) ? name.substr(stem.size()) : "";
  return !digits.empty() &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string inputs_in_words(const OpSignature& op) {
  std::string text;
  for (const InputSlot& slot : op.inputs)
    text += (text.empty() ? "" : ", ") + slot.name + (slot.repeated ? "0, " + slot.name + "1, ..." : "") +
            (slot.optional ? " (optional)" : "");
  return text;
}

void expect_known_tensors(const OpSignature& op, const NamedTensors& tensors) {
  std::vector<std::string> known;
  for (const InputSlot& slot : op.inputs) known.push_back(slot.repeated ? slot.name + "0" : slot.name);
  for (const OutputSlot& slot : op.outputs) known.push_back("d" + slot.name);
  for (const auto& [name, tensor] : tensors)
    if (!input_slot(op, name) && std::find(known.begin(), known.end(), name) == known.end())
      throw ValueError(op.name, ": tensor \"", name, "\" is no input; the nearest one is ",
                       nearest_name(name, known), " (inputs: ", inputs_in_words(op), ")");
}

void expect_inputs(const OpSignature& op, const NamedTensors& tensors) {
  expect_known_tensors(op, tensors);
  for (const InputSlot& slot : op.inputs) {
    const std::string first = slot.repeated ? slot.name + "0" : slot.name;
    if (!slot.optional && !tensors.contains(first))
      throw ValueError(op.name, ": tensor \"", first, "\" is missing; expected inputs ", inputs_in_words(op));
    if (!slot.repeated) continue;
    const auto belongs = [&](const auto& tensor) { return is_numbered(tensor.first, slot.name); };
    const auto given = std::count_if(tensors.begin(), tensors.end(), belongs);
    for (int64_t i = 0; i < given; ++i)
      if (const std::string name = slot.name + std::to_string(i); !tensors.contains(name))
        throw ValueError(op.name, ": tensor \"", name, "\" is missing; expected ", slot.name, "0 to ",
                         slot.name, given - 1, " because there are ", given);
  }
}

NamedTexts complete_parameters(const OpSignature& op, const NamedTexts& given) {
  NamedTexts complete;
  std::vector<std::string> known;
  for (const ParameterSlot& slot : op.parameters) {
    known.push_back(slot.name);
    const auto found = given.find(slot.name);
    if (found == given.end() && slot.standard.empty())
      throw UsageError(op.name, ": parameter ", slot.name, " is missing; expected ", form_of(slot.type));
    complete[slot.name] = found == given.end() ? slot.standard : found->second;
  }
  for (const auto& [name, text] : given)
    if (!complete.contains(name))
      throw UsageError(op.name, ": \"", name, "\" is no parameter; ",
                       known.empty() ? "expected none" : "the nearest one is " + nearest_name(name, known));
  return complete;
}

// The tensor itself, or, where conversion was asked for, in the other dtype.
Tensor converted(const std::string& name, const Tensor& tensor, DType wanted, const RunOptions& options,
                 OpRun& run) {
  if (!options.dtype || !is_floating(tensor.dtype()) || tensor.dtype() == wanted) return tensor;
  run.conversions.push_back(concatenate(name, " is converted from ", tensor.dtype(), " to ", wanted));
  return to_dtype(tensor, wanted);
}

std::map<std::string, Var> inputs_of(const OpSignature& op, const NamedTensors& tensors,
                                     const RunOptions& options, OpRun& run) {
  std::map<std::string, Var> inputs;
  for (const auto& [name, tensor] : tensors) {
    const InputSlot* slot = input_slot(op, name);
    if (!slot) continue;
    const Tensor value = converted(name, tensor, options.dtype.value_or(tensor.dtype()), options, run);
    const bool wanted =
        options.gradients && slot->kind == InputKind::differentiable && is_floating(value.dtype());
    const Tensor placed = to_device(value, options.device);
    inputs[name] = wanted ? leaf(placed) : Var(placed);
  }
  return inputs;
}

Tensor upstream_gradient(const OpSignature& op, const std::string& output, const Tensor& y,
                         const NamedTensors& tensors, const RunOptions& options, OpRun& run) {
  const std::string name = "d" + output;
  const auto found = tensors.find(name);
  if (found == tensors.end() && y.element_count() == 1) return full(y.shape(), 1, y.dtype(), y.device());
  if (found == tensors.end())
    throw ValueError(op.name, ": tensor \"", name, "\" is missing; expected ", y.shape(),
                     ", the gradient of ", output);
  const Tensor dy = to_device(converted(name, found->second, y.dtype(), options, run), y.device());
  expect_same_kind(op.name.c_str(), name.c_str(), dy, output.c_str(), y);
  expect_shape(op.name.c_str(), name.c_str(), dy, y.shape(), "because that is the shape of ", output);
  return dy;
}

void run_backward(const OpSignature& op, const Vars& outputs, const NamedTensors& tensors,
                  const RunOptions& options, OpRun& run) {
  std::vector<GradientSeed> seeds;
  for (size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].wants_gradient())
      seeds.push_back(
          {outputs[i], upstream_gradient(op, op.outputs[i].name, outputs[i].value(), tensors, options, run)});
  if (seeds.empty()) throw ValueError(op.name, ": has no gradient; expected to be run without one");
  backward(seeds);
}

}  // namespace

const InputSlot* input_slot(const OpSignature& op, const std::string& name) {
  for (const InputSlot& slot : op.inputs)
    if (slot.repeated ? is_numbered(name, slot.name) : name == slot.name) return &slot;
  return nullptr;
}

OpRun run_op(const OpSignature& op, const NamedTensors& tensors, const RunOptions& options) {
  expect_inputs(op, tensors);
  const NamedTexts parameters = complete_parameters(op, options.parameters);
  OpRun run;
  const std::map<std::string, Var> inputs = inputs_of(op, tensors, options, run);
  const auto without_graph = options.gradients ? nullptr : std::make_unique<NoGradScope>();
  const Vars outputs = op.run(OpCall(op.name, inputs, parameters));
  assert(outputs.size() == op.outputs.size() && "a signature gives one Var for every output it declares");
  if (options.gradients) run_backward(op, outputs, tensors, options, run);
  for (size_t i = 0; i < outputs.size(); ++i)
    run.results[op.outputs[i].name] = to_device(outputs[i].value(), {});
  for (const auto& [name, input] : inputs)
    if (input.wants_gradient()) run.results["d" + name] = to_device(input.gradient(), {});
  return run;
}

}  // namespace limoe
