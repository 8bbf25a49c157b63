// Adafactor (Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018) in the
// form that big_vision and vmoe train with: no relative step size, no scaling by the parameter, no clipping
// of the update, and a first moment; formulas in ops/adafactor_update.h. In step t = 1, 2, ... beta2 is
// min(beta2_cap, 1 - t^-0.8).
//
// A parameter is factored over its two largest axes (of equal ones the later counts as larger) when both have
// at least min_factored elements. The axis that counts experts is never one of them: an expert-major
// parameter's axis 0 is not considered, and min_factored is raised to E + 1, so that a router's kernel [D, E]
// is not factored either.
//
// Two conventions of decay are in use. Here, as in big_vision, it follows the schedule but not the learning
// rate. In vmoe, and in AdamW, it is multiplied by the learning rate: a decay there is the decay here divided
// by the peak learning rate.
#pragma once

#include <optional>

#include "models/optim/optimizer.h"
#include "ops/adafactor_update.h"

namespace limoe {

struct AdafactorSettings {
  double beta1 = 0.9;
  double beta2_cap = 0.999;
  int64_t min_factored = 32;
  double weight_decay = 0;
};

// Nothing when the parameter is not factored.
std::optional<FactoredAxes> factored_axes(const ParameterSpec& spec, int64_t min_factored);

class Adafactor final : public Optimizer {
 public:
  // Throws ValueError for betas outside [0, 1), a min_factored below 2 or a negative decay.
  Adafactor(const ParameterArena& arena, const AdafactorSettings& settings);

  std::string name() const override { return "adafactor"; }
  void step(ParameterArena& arena, const StepRates& rates) override;
  std::map<std::string, Tensor> state() const override;

 private:
  // Of one parameter: either `full`, shaped like it, or rows [matrices, rows] and columns [matrices,
  // columns].
  struct SecondMoment {
    std::optional<FactoredAxes> axes;
    Tensor full, rows, columns;
  };

  const AdafactorSettings settings_;
  Tensor first_moment_;  // laid out like the arena
  std::vector<SecondMoment> second_moments_;
};

}  // namespace limoe
