#include "cuda/moe_dispatch.h"
#include "cuda/moe_rows.cuh"

namespace limoe::cuda {

// A warp a row of the expert buffer.
template <class T, class Pack>
__global__ void moe_dispatch_forward_kernel(const T* x, const int32_t* choice_of, T* y, DispatchSizes sizes) {
  const int64_t row = row_of_warp(), rows = sizes.tokens * sizes.choices;
  if (row >= rows) return;
  const int64_t choice = choice_of[row];
  scale_row<Pack>(is_index(choice, rows) ? x + choice / sizes.choices * sizes.width : nullptr, 1.0f,
                  y + row * sizes.width, sizes.width);
}

// A warp a token.
template <class T, class Pack>
__global__ void moe_dispatch_backward_kernel(const T* drows, const int32_t* row_of, T* dx,
                                             DispatchSizes sizes) {
  const int64_t token = row_of_warp();
  if (token >= sizes.tokens) return;
  add_rows<Pack>(
      drows, sizes.tokens * sizes.choices, row_of + token * sizes.choices, sizes.choices,
      [](int64_t) { return 1.0f; }, dx + token * sizes.width, sizes.width);
}

template <class T>
void moe_dispatch_forward(Stream stream, const T* x, const int32_t* choice_of, T* y,
                          const DispatchSizes& sizes) {
  const int64_t rows = sizes.tokens * sizes.choices;
  if (rows == 0) return;
  if (can_pack<T>(sizes.width, x, y))
    launch<moe_dispatch_forward_kernel<T, Packed<T>>>(stream, warp_per_row(rows), x, choice_of, y, sizes);
  else
    launch<moe_dispatch_forward_kernel<T, Single<T>>>(stream, warp_per_row(rows), x, choice_of, y, sizes);
}

template <class T>
void moe_dispatch_backward(Stream stream, const T* drows, const int32_t* row_of, T* dx,
                           const DispatchSizes& sizes) {
  if (sizes.tokens == 0) return;
  if (can_pack<T>(sizes.width, drows, dx))
    launch<moe_dispatch_backward_kernel<T, Packed<T>>>(stream, warp_per_row(sizes.tokens), drows, row_of, dx,
                                                       sizes);
  else
    launch<moe_dispatch_backward_kernel<T, Single<T>>>(stream, warp_per_row(sizes.tokens), drows, row_of, dx,
                                                       sizes);
}

template void moe_dispatch_forward(Stream, const float*, const int32_t*, float*, const DispatchSizes&);
template void moe_dispatch_forward(Stream, const bf16*, const int32_t*, bf16*, const DispatchSizes&);
template void moe_dispatch_backward(Stream, const float*, const int32_t*, float*, const DispatchSizes&);
template void moe_dispatch_backward(Stream, const bf16*, const int32_t*, bf16*, const DispatchSizes&);

}  // namespace limoe::cuda
