// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019), in step t = 1, 2, ...:
//
//   m = beta1 m + (1 - beta1) g            v = beta2 v + (1 - beta2) g^2
//   w = w - lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + weight_decay w)
//
// The decay is multiplied by the learning rate, and applies to parameters whose spec decays.
#pragma once

#include "models/optim/optimizer.h"

namespace limoe {

struct AdamWSettings {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

class AdamW final : public Optimizer {
 public:
  // Throws ValueError for betas outside [0, 1), an epsilon that is not positive or a negative decay.
  AdamW(const ParameterArena& arena, const AdamWSettings& settings);

  std::string name() const override { return "adamw"; }
  void step(ParameterArena& arena, const StepRates& rates) override;
  std::map<std::string, Tensor> state() const override;

 private:
  // Neighbours in the arena that decay alike, padding included.
  struct Run {
    int64_t begin = 0, end = 0;
    bool decays = false;
  };

  const AdamWSettings settings_;
  std::vector<Run> runs_;
  Tensor first_moment_, second_moment_;  // laid out like the arena
};

}  // namespace limoe
