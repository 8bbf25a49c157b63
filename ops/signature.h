// What an op takes and gives, by name: so that it can be called on the tensors of a file (`limoe ops run`),
// and listed for people and for programs (`limoe ops list`).
//
// An op's signature is one function beside it, in ops/<op>_signature.cpp:
//
//   OpSignature gelu_signature() {
//     return {.summary = "x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))",
//             .inputs = {{"x", "[...]"}},
//             .outputs = {{"y", "[...]"}},
//             .run = [](const OpCall& call) { return Vars{gelu(call.var("x"))}; }};
//   }
//
// The build makes the table of all of them from those file names (op_table.h): nothing registers itself. A
// signature checks names alone; shapes, dtypes and values are the op's own business.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ops/op_call.h"

namespace limoe {

enum class InputKind { differentiable, constant, integer };

struct InputSlot {
  std::string name;
  std::string shape;  // in letters: "[N, 3D]"; the same letter is the same size; "..." any axes
  std::string meaning = {};
  InputKind kind = InputKind::differentiable;
  bool optional = false;
  bool repeated = false;  // any number of them, one or more: name0, name1, ...
};

struct OutputSlot {
  std::string name;  // its gradient is d<name>
  std::string shape;
  std::string meaning = {};
};

struct ParameterSlot {
  std::string name;
  ParameterType type = ParameterType::integer;
  std::string meaning = {};
  std::string standard = {};  // the value when none is given; empty: one must be given
};

struct OpSignature {
  std::string name = {};  // the file's; set by the table
  std::string summary;    // a formula or a phrase
  std::vector<InputSlot> inputs = {};
  std::vector<OutputSlot> outputs = {};
  std::vector<ParameterSlot> parameters = {};
  std::function<Vars(const OpCall&)> run;  // one Var for every output, in order
};

}  // namespace limoe
