// One step of Adafactor for one parameter (Shazeer and Stern, "Adafactor: adaptive learning rates with
// sublinear memory cost", 2018), without relative step sizes and clipping of the update, with a first moment:
//
//   full        V = beta2 V + (1 - beta2) (g^2 + 1e-30)             u = g / sqrt(V)
//   factored    R = beta2 R + (1 - beta2) (mean of g^2 over a row + 1e-30), C likewise by column
//                                                                       u = g / sqrt(R C / mean(R))
//   both        m = beta1 m + (1 - beta1) u, without bias correction
//               w = w - lr m - decay w
//
// w, m, g: [count], contiguous, of one dtype; f32 or f64, on a device f32. In place, outside the graph. Means
// are taken in double on the CPU and in float on a device, in a fixed order.
#pragma once

#include "tensor/tensor.h"

namespace limoe {

// A parameter seen as matrices over its two factored axes: element (row, column) of a matrix lies
// row * row_stride + column * column_stride behind the matrix's first.
struct FactoredAxes {
  int64_t matrices = 1, rows = 1, columns = 1;
  int64_t row_stride = 1, column_stride = 1;
  int64_t between = 1;  // elements of the axes between the two

  int64_t first_element(int64_t matrix) const;
};

struct AdafactorConstants {
  double beta1, beta2, lr;
  double decay;  // schedule weight_decay, or 0
};

// v [count]
void adafactor_full(Tensor& w, Tensor& m, const Tensor& g, Tensor& v, const AdafactorConstants& constants);

// rows [axes.matrices, axes.rows], columns [axes.matrices, axes.columns]
void adafactor_factored(Tensor& w, Tensor& m, const Tensor& g, Tensor& rows, Tensor& columns,
                        const FactoredAxes& axes, const AdafactorConstants& constants);

}  // namespace limoe
