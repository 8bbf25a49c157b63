#include "tests/support/op_case.h"

#include <doctest/doctest.h>

#include "autograd/backward.h"
#include "autograd/rematerialize.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe::testing {
namespace {

constexpr uint64_t kSeed = 20220606;
constexpr uint64_t kWeightStream = 1 << 20;

bool is_differentiable(const OpCase& op_case, size_t input) {
  return op_case.differentiable.empty() || op_case.differentiable.at(input);
}

struct Result {
  Tensor y;
  std::vector<Tensor> gradients;  // undefined for inputs that are not differentiated
};

Tensor weights_for(const Tensor& y) {
  return random_normal(y.shape(), 0, 1, kSeed, kWeightStream, DType::f64);
}

// Values and the gradients of sum(weights * y).
Result run(const OpCase& op_case, const std::vector<Tensor>& inputs) {
  Vars vars;
  for (size_t i = 0; i < inputs.size(); ++i)
    vars.push_back(is_differentiable(op_case, i)
                       ? leaf(inputs[i], zeros(inputs[i].shape(), inputs[i].dtype()))
                       : Var(inputs[i]));
  const Var y = op_case.run(vars);
  backward({{y, to_dtype(weights_for(y.value()), y.dtype())}});
  Result result{y.value(), {}};
  for (size_t i = 0; i < inputs.size(); ++i)
    result.gradients.push_back(is_differentiable(op_case, i) ? vars[i].gradient() : Tensor());
  return result;
}

double weighted_sum(const OpCase& op_case, const std::vector<Tensor>& inputs) {
  Vars vars;
  for (const Tensor& input : inputs) vars.emplace_back(input);
  const Tensor y = op_case.run(vars).value();
  const std::vector<double> values = to_vector<double>(y), weights = to_vector<double>(weights_for(y));
  double sum = 0;
  for (size_t i = 0; i < values.size(); ++i) sum += values[i] * weights[i];
  return sum;
}

Comparison all(const OpCase& op_case, const char* what, const Result& got, const Result& wanted,
               const std::function<Comparison(const Tensor&, const Tensor&)>& compare) {
  if (Comparison y = compare(got.y, wanted.y); !y.ok)
    return {false, concatenate(op_case.name, " ", what, ": y: ", y.message)};
  for (size_t i = 0; i < got.gradients.size(); ++i)
    if (is_differentiable(op_case, i))
      if (Comparison d = compare(got.gradients[i], wanted.gradients[i]); !d.ok)
        return {false, concatenate(op_case.name, " ", what, ": gradient of input ", i, ": ", d.message)};
  return {};
}

std::vector<Tensor> converted(const std::vector<Tensor>& inputs, DType dtype) {
  std::vector<Tensor> result;
  for (const Tensor& input : inputs)
    result.push_back(is_floating(input.dtype()) ? to_dtype(input, dtype) : input);
  return result;
}

// The same values as a view whose memory is laid out otherwise: the last axis doubled, and the first two axes
// swapped.
Tensor as_view(const Tensor& x) {
  if (x.rank() == 0 || x.element_count() == 0) return x;
  Tensor wide(x.shape().with(-1, x.dim(-1) * 2), x.dtype());
  fill_zero(wide);
  const int64_t width = x.dim(-1), rows = x.element_count() / width;
  const size_t bytes = size_t(width) * size_of(x.dtype());
  for (int64_t row = 0; row < rows; ++row)
    std::copy_n(x.raw_data() + row * bytes, bytes, wide.raw_mutable_data() + row * 2 * bytes);
  const Tensor view = wide.slice(-1, 0, width);
  return x.rank() < 2 ? view : clone(view.transpose(0, 1)).transpose(0, 1);
}

}  // namespace

Tensor normal(const Shape& shape, uint64_t stream, double deviation) {
  return random_normal(shape, 0, deviation, kSeed, stream, DType::f64);
}

Tensor uniform(const Shape& shape, double low, double high, uint64_t stream) {
  return random_uniform(shape, low, high, kSeed, stream, DType::f64);
}

Comparison gradcheck(const OpCase& op_case) {
  const Result result = run(op_case, op_case.inputs);
  for (size_t i = 0; i < op_case.inputs.size(); ++i) {
    if (!is_differentiable(op_case, i)) continue;
    const Tensor& x = op_case.inputs[i];
    Tensor numeric = zeros(x.shape(), DType::f64);
    for (int64_t element = 0; element < x.element_count(); ++element) {
      std::vector<Tensor> moved = op_case.inputs;
      double sums[2];
      for (const int side : {0, 1}) {
        moved[i] = clone(x);
        moved[i].mutable_data<double>()[element] += (side ? 1 : -1) * tolerance::kGradcheckStep;
        sums[side] = weighted_sum(op_case, moved);
      }
      numeric.mutable_data<double>()[element] = (sums[1] - sums[0]) / (2 * tolerance::kGradcheckStep);
    }
    if (const Comparison same = close(result.gradients[i], numeric, tolerance::kGradcheck); !same.ok)
      return {false, concatenate(op_case.name, " gradient of input ", i, " ", x.shape(),
                                 " against central differences: ", same.message)};
  }
  return {};
}

Comparison f32_agrees(const OpCase& op_case) {
  // Rounded to f32 first, so that rounding the inputs is not counted as the op's error.
  const std::vector<Tensor> narrow = converted(op_case.inputs, DType::f32);
  const Result wide = run(op_case, converted(narrow, DType::f64));
  return all(op_case, "f32 against f64", run(op_case, narrow), wide,
             [&](const Tensor& got, const Tensor& wanted) {
               return close(got, wanted, tolerance::f32_sum(op_case.longest_sum));
             });
}

Comparison views_agree(const OpCase& op_case) {
  std::vector<Tensor> views;
  for (const Tensor& input : op_case.inputs) views.push_back(as_view(input));
  return all(op_case, "views", run(op_case, views), run(op_case, op_case.inputs), same_bits);
}

Comparison threads_agree(const OpCase& op_case) {
  const int threads = thread_count();
  const std::vector<Tensor> inputs = converted(op_case.inputs, DType::f32);
  set_thread_count(1);
  const Result alone = run(op_case, inputs);
  Comparison agree;
  for (const int count : {2, 3}) {
    set_thread_count(count);
    if (agree.ok) agree = all(op_case, "threads", run(op_case, inputs), alone, same_bits);
  }
  set_thread_count(threads);
  return agree;
}

Comparison made_again(const OpCase& op_case, const std::vector<Tensor>& inputs) {
  Vars vars;
  for (size_t i = 0; i < inputs.size(); ++i)
    vars.push_back(is_differentiable(op_case, i) ? leaf(inputs[i]) : Var(inputs[i]));
  const Var y = op_case.run(vars);
  if (!y.recipe()) return {};
  const Tensor& again = y.recipe()->value();
  if (again.shares_memory_with(y.value()))
    return {false, op_case.name + " made again: its recipe keeps the value itself"};
  if (const Comparison same = same_bits(to_device(again, {}), to_device(y.value(), {})); !same.ok)
    return {false, concatenate(op_case.name, " made again: ", same.message)};
  return {};
}

Comparison makes_again(const OpCase& op_case) {
  std::vector<Tensor> views;
  for (const Tensor& input : op_case.inputs) views.push_back(as_view(input));
  for (const auto& inputs : {op_case.inputs, converted(op_case.inputs, DType::f32), views})
    if (const Comparison again = made_again(op_case, inputs); !again.ok) return again;
  return {};
}

Comparison leaves_nothing(const OpCase& op_case) {
  const size_t before = allocator_of({}).counts().live_bytes;
  run(op_case, op_case.inputs);
  const size_t after = allocator_of({}).counts().live_bytes;
  if (after == before) return {};
  return {false, concatenate(op_case.name, ": ", after,
                             " bytes are live after a forward and backward pass; wanted ", before)};
}

void check_op(const OpCase& op_case) {
  for (const auto check : {gradcheck, f32_agrees, views_agree, threads_agree, makes_again, leaves_nothing}) {
    const Comparison result = check(op_case);
    CHECK_MESSAGE(result.ok, result.message);
  }
}

}  // namespace limoe::testing
