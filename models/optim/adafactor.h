// Adafactor (Shazeer and Stern, "Adafactor: adaptive learning rates with sublinear memory cost", 2018) in the
// form that big_vision and vmoe train with: no relative step size, no scaling by the parameter, no clipping
// of the update, and a first moment. In step t = 1, 2, ... with beta2_t = min(beta2_cap, 1 - t^-0.8):
//
//   full        V = beta2_t V + (1 - beta2_t) (g^2 + 1e-30)             u = g / sqrt(V)
//   factored    R = beta2_t R + (1 - beta2_t) (mean of g^2 over a row + 1e-30), C likewise by column
//                                                                       u = g / sqrt(R C / mean(R))
//   both        m = beta1 m + (1 - beta1) u, without bias correction
//               w = w - lr m - schedule weight_decay w
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

namespace limoe {

struct AdafactorSettings {
  double beta1 = 0.9;
  double beta2_cap = 0.999;
  int64_t min_factored = 32;
  double weight_decay = 0;
};

// A parameter seen as matrices over its two factored axes: element (row, column) of a matrix lies
// row * row_stride + column * column_stride behind the matrix's first.
struct FactoredAxes {
  int64_t matrices = 1, rows = 1, columns = 1;
  int64_t row_stride = 1, column_stride = 1;
  int64_t between = 1;  // elements of the axes between the two

  int64_t first_element(int64_t matrix) const;
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
