// The end of a product that was cut along k: C = epilogue(beta * C + partial[0] + partial[1] + ...), added in
// this order. partials: f32 [pieces, batch, m, n]; the rest is as in cuda/gemm.h.
#pragma once

#include "cuda/gemm.h"

namespace limoe::cuda {

template <class T, class Out>
void sum_gemm_partials(Stream stream, GemmShape shape, const float* partials, int64_t pieces,
                       GemmOutput<Out> c, GemmEpilogue<T, Out> epilogue);

}  // namespace limoe::cuda
