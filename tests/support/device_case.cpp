// The checks of op_case.h that run an op on a device.
#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "cuda/runtime.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/op_case.h"

#ifdef LIMOE_SIMULATED
#include "cuda/sim/block.h"
#endif

namespace limoe::testing {
namespace {

struct Result {
  Tensor y;
  std::vector<Tensor> gradients;  // undefined for inputs that are not differentiated
};

// Values and the gradients of sum(weights * y), with weights that every dtype holds exactly.
Result run(const OpCase& op_case, const std::vector<Tensor>& inputs) {
  const auto differentiable = [&](size_t i) {
    return op_case.differentiable.empty() || op_case.differentiable.at(i);
  };
  Vars vars;
  for (size_t i = 0; i < inputs.size(); ++i)
    vars.push_back(differentiable(i)
                       ? leaf(inputs[i], zeros(inputs[i].shape(), inputs[i].dtype(), inputs[i].device()))
                       : Var(inputs[i]));
  const Var y = op_case.run(vars);
  const Tensor weights = to_dtype(normal(y.value().shape(), 1 << 20), DType::bf16);
  backward({{y, to_device(to_dtype(weights, y.value().dtype()), y.value().device())}});
  Result result{to_device(y.value(), {}), {}};
  for (size_t i = 0; i < inputs.size(); ++i)
    result.gradients.push_back(differentiable(i) ? to_device(vars[i].gradient(), {}) : Tensor());
  return result;
}

std::vector<Tensor> inputs_as(const OpCase& op_case, DType dtype, Device device) {
  std::vector<Tensor> result;
  for (const Tensor& input : op_case.inputs)
    result.push_back(to_device(is_floating(input.dtype()) ? to_dtype(input, dtype) : input, device));
  return result;
}

// Memory that is handed out while this lives holds NaN.
class Poisoned {
 public:
  explicit Poisoned(Device device) : allocator_(allocator_of(device)) { allocator_.set_poison(true); }
  ~Poisoned() { allocator_.set_poison(false); }
  Poisoned(const Poisoned&) = delete;
  Poisoned& operator=(const Poisoned&) = delete;

 private:
  CachingAllocator& allocator_;
};

Result run_on_device(const OpCase& op_case, DType dtype) {
  const Device device = *device_under_test();
  const Poisoned poisoned(device);
  Result result = run(op_case, inputs_as(op_case, dtype, device));
  backend_of(device).synchronize();
  return result;
}

Comparison all(const OpCase& op_case, const std::string& what, const Result& got, const Result& wanted,
               const std::function<Comparison(const Tensor&, const Tensor&)>& compare) {
  if (Comparison y = compare(got.y, wanted.y); !y.ok)
    return {false, concatenate(op_case.name, " ", what, ": y: ", y.message)};
  for (size_t i = 0; i < got.gradients.size(); ++i)
    if (got.gradients[i].defined())
      if (Comparison d = compare(got.gradients[i], wanted.gradients[i]); !d.ok)
        return {false, concatenate(op_case.name, " ", what, ": gradient of input ", i, ": ", d.message)};
  return {};
}

}  // namespace

Tensor beside(const Var& x, const Tensor& tensor) {
  return tensor.defined() ? to_device(tensor, x.value().device()) : tensor;
}

Comparison device_agrees(const OpCase& op_case, DType dtype, double allowed_nmse) {
  OpCase rounded = op_case;
  for (Tensor& input : rounded.inputs)
    if (is_floating(input.dtype())) input = to_dtype(to_dtype(input, dtype), DType::f64);
  const Result wanted = run(rounded, rounded.inputs);
  return all(
      op_case, concatenate("on a device in ", dtype, " against f64"), run_on_device(op_case, dtype), wanted,
      [&](const Tensor& got, const Tensor& expected) { return close_in_mean(got, expected, allowed_nmse); });
}

Comparison device_repeats(const OpCase& op_case, DType dtype) {
  const Result first = run_on_device(op_case, dtype);
  const std::string what = concatenate("on a device in ", dtype);
  if (Comparison again =
          all(op_case, what + ", a second run", run_on_device(op_case, dtype), first, same_bits);
      !again.ok)
    return again;
#ifdef LIMOE_SIMULATED
  const cuda::sim::LaneOrder order = cuda::sim::lane_order();
  Comparison same;
  for (const cuda::sim::LaneOrder other : {cuda::sim::LaneOrder::reverse, cuda::sim::LaneOrder::shuffled}) {
    cuda::sim::set_lane_order(other, 7);
    const Result result = run_on_device(op_case, dtype);
    cuda::sim::set_lane_order(order);
    if (same.ok) same = all(op_case, what + ", another order of lanes", result, first, same_bits);
  }
  return same;
#else
  return {};
#endif
}

Comparison device_makes_again(const OpCase& op_case, DType dtype) {
  const Device device = *device_under_test();
  const Poisoned poisoned(device);
  return made_again(op_case, inputs_as(op_case, dtype, device));
}

Comparison device_leaves_nothing(const OpCase& op_case) {
  const Device device = *device_under_test();
  const std::vector<Tensor> inputs = inputs_as(op_case, DType::f32, device);
  const size_t before = allocator_of(device).counts().live_bytes;
  run(op_case, inputs);
  const size_t after = allocator_of(device).counts().live_bytes;
  if (after == before) return {};
  return {false, concatenate(op_case.name, ": ", after, " bytes are live on ", device,
                             " after a forward and backward pass; wanted ", before)};
}

void check_device(const OpCase& op_case, const DeviceChecks& checks) {
  if (!device_under_test()) return;
#ifdef __SANITIZE_THREAD__
  // A race is one in every order of lanes and in every dtype.
  const Comparison result = device_agrees(op_case, DType::f32, checks.nmse_f32);
  CHECK_MESSAGE(result.ok, result.message);
  return;
#endif
  std::vector<Comparison> results{device_agrees(op_case, DType::f32, checks.nmse_f32),
                                  device_repeats(op_case, DType::f32),
                                  device_makes_again(op_case, DType::f32), device_leaves_nothing(op_case)};
  if (checks.bf16) {
    results.push_back(device_agrees(op_case, DType::bf16, checks.nmse_bf16));
    results.push_back(device_repeats(op_case, DType::bf16));
    results.push_back(device_makes_again(op_case, DType::bf16));
  }
  for (const Comparison& result : results) CHECK_MESSAGE(result.ok, result.message);
}

}  // namespace limoe::testing
