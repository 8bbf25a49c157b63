// One declared case of an op drives every check.
//
//   check_op({"softmax", {normal({3, 33})}, [](const Vars& in) { return softmax(in[0]); }});
//
// runs: the gradient in f64 against central differences, f32 against f64, strided views against contiguous
// inputs (same bits), 1, 2 and 3 threads (same bits), what the way back makes again (same bits), and live
// memory back to where it was.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/var.h"
#include "tests/support/compare.h"
#include "tests/support/tolerance.h"

namespace limoe::testing {

using Vars = std::vector<Var>;

struct OpCase {
  std::string name;
  std::vector<Tensor> inputs;  // f64; what is not differentiated is captured by `run`
  std::function<Var(const Vars& in)> run;
  int64_t longest_sum = 64;               // terms in the longest sum, for the f32 tolerance
  std::vector<bool> differentiable = {};  // by input; empty means all
};

// f64 inputs with fixed random values. Different `stream`s are independent.
Tensor normal(const Shape& shape, uint64_t stream = 0, double deviation = 1);
Tensor uniform(const Shape& shape, double low, double high, uint64_t stream = 0);

// The gradient of sum(weights * y), weights fixed and random, by backward() against central differences, for
// every element of every differentiable input.
Comparison gradcheck(const OpCase& op_case);
Comparison f32_agrees(const OpCase& op_case);      // values and gradients, f32 against f64
Comparison views_agree(const OpCase& op_case);     // every input as a transposed view of a larger tensor
Comparison threads_agree(const OpCase& op_case);   // f32, 1, 2 and 3 threads: same bits
Comparison makes_again(const OpCase& op_case);     // y by its recipe, if it has one, in f64, f32 and of views
Comparison leaves_nothing(const OpCase& op_case);  // live bytes return to the baseline

void check_op(const OpCase& op_case);  // all of these as doctest checks

// On a device: values and gradients in f32 and in bf16 against f64 on the CPU, inputs rounded first (normalised mean squared
// error, see tolerance.h), every output written (memory holds NaN before), the same bits in two runs and in two orders of
// lanes and made again, and live memory back to where it was. Tensors that `run` captures go to the device by beside(in[0], tensor).
Comparison device_agrees(const OpCase& op_case, DType dtype, double allowed_nmse);
Comparison device_repeats(const OpCase& op_case, DType dtype);
Comparison device_makes_again(const OpCase& op_case, DType dtype);
Comparison device_leaves_nothing(const OpCase& op_case);

// A dtype is left out where an op has no meaning in it; an exception to the tolerance needs a reason beside the call.
struct DeviceChecks {
  bool bf16 = true;
  double nmse_f32 = tolerance::kDeviceNmseF32, nmse_bf16 = tolerance::kDeviceNmseBf16;
};
void check_device(const OpCase& op_case, const DeviceChecks& checks = {});

// What y's recipe makes has y's bits, or there is no recipe (autograd/rematerialize.h).
Comparison made_again(const OpCase& op_case, const std::vector<Tensor>& inputs);

Tensor beside(const Var& x, const Tensor& tensor);  // tensor, on x's device

}  // namespace limoe::testing
