#include "models/train/diagnose.h"

#include <cmath>

#include "autograd/record.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

// Index of the first element that is not finite, or -1.
int64_t first_non_finite(const Tensor& tensor) {
  if (!is_floating(tensor.dtype())) return -1;
  const std::vector<double> values = to_vector<double>(tensor);
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) return int64_t(i);
  return -1;
}

std::string found_in(const Parameter& parameter, const Tensor& values, const char* what, int64_t element) {
  std::string text = concatenate(what, " ", parameter.spec.name);
  if (parameter.spec.expert_major)
    text += concatenate(" of expert ", element / (values.element_count() / values.dim(0)));
  return concatenate(text, " holds ", to_vector<double>(values)[size_t(element)]);
}

struct Found {
  std::string text;
};

// The first op, in the order they run, whose output is not finite.
std::string first_broken_op(const Limoe& model, const Batch& batch, const StepOptions& options) {
  struct ObserverScope {
    ~ObserverScope() { set_record_observer({}); }
  } const scope;
  set_record_observer([](const std::string& op, std::span<const Var>, std::span<const Tensor> ys) {
    for (const Tensor& y : ys)
      if (const int64_t element = first_non_finite(y); element >= 0)
        throw Found{concatenate("op ", op, " gave ", to_vector<double>(y)[size_t(element)], " at element ",
                                element, " of ", y.shape(), ", the first that is not finite")};
  });
  try {
    accumulate_gradients(model, batch, options);
  } catch (const Found& found) {
    return found.text;
  } catch (const Error& error) {  // routing refuses NaN probabilities by itself, naming the token
    return error.what();
  }
  return {};
}

}  // namespace

std::string diagnose_non_finite(const Limoe& model, ParameterArena& arena, const Batch& batch,
                                const StepOptions& options) {
  for (const Parameter& parameter : arena.parameters())
    if (const int64_t element = first_non_finite(parameter.var.value()); element >= 0)
      return found_in(parameter, parameter.var.value(), "parameter", element);
  if (const int64_t element = first_non_finite(batch.images); element >= 0)
    return concatenate("the batch's pictures hold a value that is not finite, at element ", element);
  arena.zero_gradients();
  if (const std::string op = first_broken_op(model, batch, options); !op.empty()) return op;
  for (const Parameter& parameter : arena.parameters())
    if (const int64_t element = first_non_finite(parameter.var.gradient()); element >= 0)
      return found_in(parameter, parameter.var.gradient(), "the forward pass is finite; the gradient of",
                      element);
  return "nothing in a second run of the same step, which should not be: the step is a function of its "
         "inputs";
}

}  // namespace limoe
