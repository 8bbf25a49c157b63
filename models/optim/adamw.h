// AdamW: the formula is in ops/adamw_update.h. The decay is multiplied by the learning rate, and applies to
// parameters whose spec decays.
#pragma once

#include "models/optim/optimizer.h"
#include "ops/adamw_update.h"

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
  const AdamWSettings settings_;
  std::vector<DecayRun> runs_;           // padding included
  Tensor first_moment_, second_moment_;  // laid out like the arena
};

}  // namespace limoe
