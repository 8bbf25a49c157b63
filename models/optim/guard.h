// Watches the loss and the gradient norm for numbers that are not finite and for spikes.
//
// A value's z-score is (value - mean) / deviation over the last 128 finite ones, not counting itself; a spike
// is a z-score above the limit, and only upwards: a loss that falls fast is no fault. Nothing is judged a
// spike before the window is full. A spike joins the window like any other value, so that a level that stays
// becomes the new normal.
//
// Pure logic: what to do about it is the trainer's to decide. The windows are state, because what they hold
// decides which steps a run skips.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace limoe {

// The last values of one quantity, oldest first.
class SpikeWindow {
 public:
  static constexpr size_t kSize = 128;

  double z_score(double value) const;  // 0 until the window is full
  void add(double value);

  const std::vector<double>& values() const { return values_; }
  void assign(std::vector<double> values) { values_ = std::move(values); }

 private:
  std::vector<double> values_;
};

struct GuardReport {
  bool is_finite = true;
  bool is_spike = false;
  double loss_z = 0;  // 0 while it is unknown
  double gradient_norm_z = 0;
  std::string words;  // what was seen; empty when all is well

  bool ok() const { return is_finite && !is_spike; }
};

class LossGuard {
 public:
  explicit LossGuard(double z_limit = 6);  // throws ValueError unless the limit is positive

  // Judges this step's numbers, then adds the finite ones to their windows.
  GuardReport look(double loss, double gradient_norm);

  // f64 tensors of up to 128 values; throws ValueError, by name, for anything else.
  std::map<std::string, Tensor> state() const;
  void load_state(const std::map<std::string, Tensor>& saved);

 private:
  const double z_limit_;
  SpikeWindow losses_, gradient_norms_;
};

}  // namespace limoe
