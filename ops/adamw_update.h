// One step of AdamW over flat arrays (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019):
//
//   m = beta1 m + (1 - beta1) g            v = beta2 v + (1 - beta2) g^2
//   w = w - lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + decay w)
//
// w, g, m, v: [count], contiguous; f32 or f64, on a device f32. In place, outside the graph.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace limoe {

struct AdamWConstants {
  double beta1, beta2, epsilon, lr;
  double decay;  // of the runs that decay
  int64_t t;     // number of this step, from 1
};

// Neighbouring elements that decay alike: [begin, end).
struct DecayRun {
  int64_t begin = 0, end = 0;
  bool decays = false;
};

// `runs` cover the arrays in order and decay in turn. `rounded`, where it is defined, is bf16 [count] on w's
// device and gets the new w; the CPU has no use for it and takes none.
void adamw_update(Tensor& w, const Tensor& g, Tensor& m, Tensor& v, const std::vector<DecayRun>& runs,
                  const AdamWConstants& constants, Tensor rounded = {});

}  // namespace limoe
