// A linear classifier on frozen features, in closed form: ridge regression to targets of -1 and 1.
//
//   z = [(x - mean) / (std + 1e-5), 100]      mean and std (of the population) of the features fitted on
//   W = (Z^T Z + l2 I)^-1 Z^T Y               Y[i, c] = 1 for the class of row i, -1 for all others
//   scores(x) = z W                           the largest is the class
//
// Few-shot evaluation as in big_vision and Riquelme et al. 2021 (section 4.3): the constant 100 is the bias,
// large so that l2 hardly shrinks it. With fewer rows than columns W = Z^T (Z Z^T + l2 I)^-1 Y, which is the
// same. Everything is computed in double; by Cholesky, in O(min(n, D)^3).
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace limoe {

struct RidgeProbe {
  Tensor mean, deviation;  // f64 [D]; the deviation with 1e-5 added
  Tensor weights;          // f64 [D + 1, classes], the last row the bias's
};

// features [n, D], f32 or f64; labels [n] in 0..classes-1; l2 > 0. Throws ShapeError, ValueError.
RidgeProbe fit_ridge_probe(const Tensor& features, const std::vector<int64_t>& labels, int64_t classes,
                           double l2);

// features [m, D] -> z, f64 [m, D + 1]: z * weights are the scores.
Tensor probe_inputs(const RidgeProbe& probe, const Tensor& features);

}  // namespace limoe
