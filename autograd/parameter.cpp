#include "autograd/parameter.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

// Every parameter starts on a 64-byte boundary; the padding stays zero, as do its gradients.
constexpr int64_t kAlignedElements = 16;

int64_t aligned(int64_t elements) {
  return (elements + kAlignedElements - 1) / kAlignedElements * kAlignedElements;
}

// FNV-1a, 64 bits: a parameter's random stream.
uint64_t stream_of(const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char letter : name) hash = (hash ^ uint8_t(letter)) * 0x100000001b3u;
  return hash;
}

Tensor initial_values(const ParameterSpec& spec, uint64_t seed, DType dtype) {
  switch (spec.init.kind) {
    case Init::Kind::zeros:
      return zeros(spec.shape, dtype);
    case Init::Kind::constant:
      return full(spec.shape, spec.init.scale, dtype);
    case Init::Kind::normal:
      return random_normal(spec.shape, 0, spec.init.scale, seed, stream_of(spec.name), dtype);
    case Init::Kind::uniform:
      return random_uniform(spec.shape, -spec.init.scale, spec.init.scale, seed, stream_of(spec.name), dtype);
  }
  throw ValueError("parameter: ", spec.name, " has initialisation number ", int(spec.init.kind),
                   "; expected a known one");
}

Tensor view_of(const Tensor& arena, int64_t offset, const Shape& shape) {
  return arena.slice(0, offset, offset + shape.element_count()).reshape(shape);
}

}  // namespace

Init Init::xavier_uniform(int64_t fan_in, int64_t fan_out) {
  return {Kind::uniform, std::sqrt(6.0 / double(fan_in + fan_out))};
}

int64_t element_count(const std::vector<ParameterSpec>& specs) {
  int64_t count = 0;
  for (const ParameterSpec& spec : specs) count += spec.shape.element_count();
  return count;
}

ParameterArena::ParameterArena(const std::vector<ParameterSpec>& specs, uint64_t seed, DType dtype,
                               Device device) {
  std::set<std::string> names;
  int64_t size = 0;
  for (const ParameterSpec& spec : specs) {
    if (!names.insert(spec.name).second)
      throw ValueError("parameter: ", spec.name, " is declared twice; expected once");
    size += aligned(spec.shape.element_count());
  }
  values_ = zeros({size}, dtype, device);
  gradients_ = zeros({size}, dtype, device);
  values_.name_memory("parameters");
  gradients_.name_memory("gradients of parameters");
  int64_t offset = 0;
  for (const ParameterSpec& spec : specs) {
    Tensor value = view_of(values_, offset, spec.shape);
    copy_into(value, to_device(initial_values(spec, seed, dtype), device));
    parameters_.push_back({spec, offset, leaf(value, view_of(gradients_, offset, spec.shape))});
    offset += aligned(spec.shape.element_count());
  }
}

const Parameter& ParameterArena::parameter(const std::string& name) const {
  const auto found = std::find_if(parameters_.begin(), parameters_.end(),
                                  [&](const Parameter& parameter) { return parameter.spec.name == name; });
  if (found != parameters_.end()) return *found;
  std::vector<std::string> known;
  for (const Parameter& parameter : parameters_) known.push_back(parameter.spec.name);
  throw ValueError("parameter: ", name, " is unknown; the nearest known name is ", nearest_name(name, known));
}

const Tensor& ParameterArena::gradients() const {
  for (const Parameter& parameter : parameters_) parameter.var.node()->settled_gradient();
  return gradients_;
}

Tensor& ParameterArena::gradients() {
  std::as_const(*this).gradients();
  return gradients_;
}

void ParameterArena::zero_gradients() {
  for (const Parameter& parameter : parameters_) parameter.var.node()->forget_gradient();
}

void ParameterArena::assign(const std::string& name, const Tensor& values) {
  Tensor to = parameter(name).var.value();
  if (values.shape() != to.shape())
    throw ShapeError("parameter: ", name, " was given ", values.shape(), "; expected ", to.shape());
  if (values.dtype() != to.dtype())
    throw DTypeError("parameter: ", name, " was given ", values.dtype(), "; expected ", to.dtype());
  copy_into(to, contiguous(to_device(values, to.device())));
}

}  // namespace limoe
