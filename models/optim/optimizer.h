// What every optimizer is: a step over the arena, and state that a checkpoint can hold.
//
// The state is named tensors, one per parameter and kind ("first_moment.blocks.3.mlp.up.kernel") and "steps",
// an i32 scalar: how many steps were taken. So a checkpoint does not depend on the arena's layout, and a
// missing or foreign parameter is found by name.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "autograd/parameter.h"

namespace limoe {

// Both are given because weight decay follows the one or the other (adamw.h, adafactor.h).
struct StepRates {
  double lr = 0;        // the learning rate of this step: peak * schedule
  double schedule = 1;  // the schedule's part of it, which begins at 0 and reaches 1 at the peak
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  virtual std::string name() const = 0;

  // Changes the values by the gradients; the gradients stay. Throws ValueError when the arena is not laid out
  // like the one this optimizer was made for.
  virtual void step(ParameterArena& arena, const StepRates& rates) = 0;

  // Handles to the state itself, not copies: write them out, or clone them, before the next step.
  virtual std::map<std::string, Tensor> state() const = 0;

  // Overwrites the state. Throws ValueError, ShapeError or DTypeError, by name, unless `saved` has exactly
  // the names, shapes and dtypes of state(); then nothing was changed.
  void load_state(const std::map<std::string, Tensor>& saved);

 protected:
  // Where a parameter lies in the arena.
  struct Slot {
    ParameterSpec spec;
    int64_t offset = 0;
    int64_t count = 0;
  };

  explicit Optimizer(const ParameterArena& arena);

  void begin_step(const ParameterArena& arena);  // checks the arena and counts the step
  int64_t steps() const { return *steps_.data<int32_t>(); }
  const std::vector<Slot>& slots() const { return slots_; }

  // "steps", the only state that all optimizers share.
  std::map<std::string, Tensor> common_state() const { return {{"steps", steps_}}; }
  // kind.<parameter> for every parameter, as views into an array that is laid out like the arena.
  void add_views(std::map<std::string, Tensor>& state, const std::string& kind, const Tensor& flat) const;

 private:
  const int64_t size_;
  const DType dtype_;
  Tensor steps_;
  std::vector<Slot> slots_;
};

}  // namespace limoe
