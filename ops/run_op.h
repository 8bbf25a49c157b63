// run_op(op, tensors, options): an op on named tensors, and its gradients.
//
// `tensors` holds the inputs by their names in the signature. With `gradients` it also holds, for every
// output that has a gradient, the upstream one, d<output>; an output with one element may go without, and
// then gets 1. Without `gradients` a d<output> is allowed and not read, so that one file serves both. Gives
// back the outputs, and d<input> for every differentiable input that was given.
//
// Nothing is converted unless `dtype` is set: then floating inputs become that dtype, and a d<output> that of
// its output; each conversion is told.
//
// A tensor or a parameter that is missing or unknown throws before anything is computed: ValueError, or
// UsageError for a parameter, naming what the op takes and the nearest known name. What the op itself refuses
// it refuses with its own message.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ops/signature.h"

namespace limoe {

using NamedTensors = std::map<std::string, Tensor>;
using NamedTexts = std::map<std::string, std::string>;

struct RunOptions {
  NamedTexts parameters = {};
  bool gradients = false;
  std::optional<DType> dtype = {};
  Device device = {};  // where the op runs; it must be installed (tensor/backend.h). Results come back to the CPU
};

struct OpRun {
  NamedTensors results;
  std::vector<std::string> conversions;  // "x is converted from f32 to f64"
};

OpRun run_op(const OpSignature& op, const NamedTensors& tensors, const RunOptions& options = {});

// The slot a tensor of this name goes into, or nullptr.
const InputSlot* input_slot(const OpSignature& op, const std::string& name);

}  // namespace limoe
