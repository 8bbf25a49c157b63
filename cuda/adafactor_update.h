// One step of Adafactor for one parameter on the device; formulas in ops/adafactor_update.h. f32 throughout,
// sums in a fixed order.
//
// Factored: a warp for every row and a block for every strip of 32 columns average the squares, a block for
// every matrix averages the row moments, and a last pass updates the weights, lanes along the columns.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

struct AdafactorArrays {
  float* w;
  float* m;
  const float* g;
};

struct AdafactorStep {
  float beta1, beta2, lr, decay;
};

// As FactoredAxes of ops/adafactor_update.h.
struct AdafactorAxes {
  int64_t matrices, rows, columns, row_stride, column_stride, between;
};

void adafactor_full(Stream stream, const AdafactorArrays& arrays, const AdafactorStep& step, float* v,
                    int64_t count);

// rows [matrices, rows], columns [matrices, columns]; row_means [matrices] is scratch.
void adafactor_factored(Stream stream, const AdafactorArrays& arrays, const AdafactorStep& step,
                        const AdafactorAxes& axes, float* rows, float* columns, float* row_means);

}  // namespace limoe::cuda
