// Parameters, and the arena they live in.
//
// A model first *declares* its parameters (ParameterSpec: enough to count them without allocating any); the
// arena then allocates all values as one block and all gradients as another. So the optimizer, the gradient
// norm, the all-reduce and a checkpoint each walk one array.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "autograd/var.h"

namespace limoe {

// How a parameter starts. Drawn by counter-based random numbers from (seed, the parameter's name), so that
// adding a parameter changes no other.
struct Init {
  enum class Kind { zeros, constant, normal, uniform };
  Kind kind = Kind::zeros;
  double scale =
      0;  // constant: the value; normal: the standard deviation; uniform: drawn from [-scale, scale]

  static Init zeros() { return {}; }
  static Init constant(double value) { return {Kind::constant, value}; }
  static Init normal(double deviation) { return {Kind::normal, deviation}; }
  // Glorot and Bengio 2010: uniform in +-sqrt(6 / (fan_in + fan_out)).
  static Init xavier_uniform(int64_t fan_in, int64_t fan_out);
};

struct ParameterSpec {
  std::string name;  // the name in checkpoints: "blocks.3.attention.qkv.kernel"
  Shape shape;
  Init init;
  bool decays = false;        // weight decay applies: kernels only
  bool expert_major = false;  // axis 0 counts experts, and is never factored by Adafactor
};

int64_t element_count(const std::vector<ParameterSpec>& specs);

struct Parameter {
  ParameterSpec spec;
  int64_t offset = 0;  // of its first element in the arena
  Var var;             // a leaf: value and gradient are views into the arena
};

class ParameterArena {
 public:
  // Throws ValueError for two parameters of one name.
  // Values are drawn on the CPU, so that they are the same on every device.
  ParameterArena(const std::vector<ParameterSpec>& specs, uint64_t seed, DType dtype = DType::f32,
                 Device device = {});

  const std::vector<Parameter>& parameters() const { return parameters_; }
  const Parameter& parameter(
      const std::string& name) const;  // throws ValueError naming the nearest known name
  const Var& operator[](const std::string& name) const { return parameter(name).var; }

  // [size], every parameter at its offset.
  Tensor& values() { return values_; }
  const Tensor& values() const { return values_; }
  // Likewise. Ask again after a backward pass: what counts as zeros becomes zeros when it is asked for.
  Tensor& gradients();
  const Tensor& gradients() const;
  int64_t size() const { return values_.element_count(); }  // padding included
  // All count as zeros; their memory is written when the first gradient of each arrives.
  void zero_gradients();

  // Overwrites a parameter's values (shape and dtype must fit): how checkpoints and goldens get in.
  void assign(const std::string& name, const Tensor& values);

 private:
  std::vector<Parameter> parameters_;
  Tensor values_, gradients_;
};

}  // namespace limoe
