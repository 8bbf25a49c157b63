// An op's signature (ops/signature.h) against a call of the op itself.
//
//   check_signature("gelu", {{"x", normal({3, 5})}}, {}, [](const NamedVars& in) { return
//   Vars{gelu(in.at("x"))}; });
//
// runs `limoe ops run` on files with these tensors, in f64 and in f32, and checks: outputs and gradients are
// bit for bit those of the direct call, gradients are finite and shaped like their inputs, nothing else is
// written, and every input that is missing, misnamed or one too many, and every unknown parameter, is refused
// in one line.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "ops/run_op.h"
#include "tests/support/op_case.h"

namespace limoe::testing {

using NamedVars = std::map<std::string, Var>;
using DirectCall = std::function<Vars(const NamedVars& in)>;

// `inputs`: floating ones in f64. The direct call gives one Var for every output, in the signature's order.
void check_signature(const std::string& op, const NamedTensors& inputs, const NamedTexts& parameters,
                     const DirectCall& direct);

}  // namespace limoe::testing
