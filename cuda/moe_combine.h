// moe_combine on the device; the formulas are in ops/moe_combine.h. T: the rows and dy; G: the gates, float
// or T (the router works in float, also beside rows in bf16).
//
// A warp a token or a row of the expert buffer; bound by memory, every row is read once. The gates' gradient
// is a dot product a choice, added up in a fixed order.
#pragma once

#include <cstdint>

#include "cuda/stream.h"

namespace limoe::cuda {

struct CombineSizes {
  int64_t tokens, choices, width;  // N, K, D
};

// rows: [N * K, D]; gates, row_of: [N, K]; y: [N, D].
template <class T, class G>
void moe_combine_forward(Stream stream, const T* rows, const G* gates, const int32_t* row_of, T* y,
                         const CombineSizes& sizes);

// gates: [N, K]; choice_of: [N * K]; dy: [N, D]; drows: [N * K, D].
template <class T, class G>
void moe_combine_backward_rows(Stream stream, const G* gates, const int32_t* choice_of, const T* dy, T* drows,
                               const CombineSizes& sizes);

// rows: [N * K, D]; row_of, dgates: [N, K]; dy: [N, D].
template <class T, class G>
void moe_combine_backward_gates(Stream stream, const T* rows, const int32_t* row_of, const T* dy, G* dgates,
                                const CombineSizes& sizes);

}  // namespace limoe::cuda
