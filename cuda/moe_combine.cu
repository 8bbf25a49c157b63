#include "cuda/moe_combine.h"
#include "cuda/moe_rows.cuh"
#include "cuda/reduce.cuh"

namespace limoe::cuda {

// A warp a token.
template <class T, class G, class Pack>
__global__ void moe_combine_forward_kernel(const T* rows, const G* gates, const int32_t* row_of, T* y,
                                           CombineSizes sizes) {
  const int64_t token = row_of_warp();
  if (token >= sizes.tokens) return;
  const G* const gate = gates + token * sizes.choices;
  add_rows<Pack>(
      rows, sizes.tokens * sizes.choices, row_of + token * sizes.choices, sizes.choices,
      [=](int64_t k) { return load(gate + k); }, y + token * sizes.width, sizes.width);
}

// A warp a row of the expert buffer.
template <class T, class G, class Pack>
__global__ void moe_combine_backward_rows_kernel(const G* gates, const int32_t* choice_of, const T* dy,
                                                 T* drows, CombineSizes sizes) {
  const int64_t row = row_of_warp(), rows = sizes.tokens * sizes.choices;
  if (row >= rows) return;
  const int64_t choice = choice_of[row];
  const bool used = is_index(choice, rows);
  scale_row<Pack>(used ? dy + choice / sizes.choices * sizes.width : nullptr,
                  used ? load(gates + choice) : 0.0f, drows + row * sizes.width, sizes.width);
}

// A warp a choice.
template <class T, class G, class Pack>
__global__ void moe_combine_backward_gates_kernel(const T* rows, const int32_t* row_of, const T* dy,
                                                  G* dgates, CombineSizes sizes) {
  const int64_t choice = row_of_warp(), choices = sizes.tokens * sizes.choices;
  const int64_t row = choice < choices ? row_of[choice] : -1;
  float sum = 0;
  if (is_index(row, choices)) {
    const auto* const a = reinterpret_cast<const Pack*>(rows + row * sizes.width);
    const auto* const b = reinterpret_cast<const Pack*>(dy + choice / sizes.choices * sizes.width);
    for (int64_t i = lane_index(); i < sizes.width / Pack::kCount; i += kWarpSize) {
      const Pack left = a[i], right = b[i];
      for (int j = 0; j < Pack::kCount; ++j) sum += left[j] * right[j];
    }
  }
  sum = warp_reduce<Sum>(sum);
  if (choice < choices && lane_index() == 0) store(dgates + choice, sum);
}

template <class T, class G>
void moe_combine_forward(Stream stream, const T* rows, const G* gates, const int32_t* row_of, T* y,
                         const CombineSizes& sizes) {
  if (sizes.tokens == 0) return;
  const LaunchShape shape = warp_per_row(sizes.tokens);
  if (can_pack<T>(sizes.width, rows, y))
    launch<moe_combine_forward_kernel<T, G, Packed<T>>>(stream, shape, rows, gates, row_of, y, sizes);
  else
    launch<moe_combine_forward_kernel<T, G, Single<T>>>(stream, shape, rows, gates, row_of, y, sizes);
}

template <class T, class G>
void moe_combine_backward_rows(Stream stream, const G* gates, const int32_t* choice_of, const T* dy, T* drows,
                               const CombineSizes& sizes) {
  if (sizes.tokens * sizes.choices == 0) return;
  const LaunchShape shape = warp_per_row(sizes.tokens * sizes.choices);
  if (can_pack<T>(sizes.width, dy, drows))
    launch<moe_combine_backward_rows_kernel<T, G, Packed<T>>>(stream, shape, gates, choice_of, dy, drows,
                                                              sizes);
  else
    launch<moe_combine_backward_rows_kernel<T, G, Single<T>>>(stream, shape, gates, choice_of, dy, drows,
                                                              sizes);
}

template <class T, class G>
void moe_combine_backward_gates(Stream stream, const T* rows, const int32_t* row_of, const T* dy, G* dgates,
                                const CombineSizes& sizes) {
  if (sizes.tokens * sizes.choices == 0) return;
  const LaunchShape shape = warp_per_row(sizes.tokens * sizes.choices);
  if (can_pack<T>(sizes.width, rows, dy))
    launch<moe_combine_backward_gates_kernel<T, G, Packed<T>>>(stream, shape, rows, row_of, dy, dgates,
                                                               sizes);
  else
    launch<moe_combine_backward_gates_kernel<T, G, Single<T>>>(stream, shape, rows, row_of, dy, dgates,
                                                               sizes);
}

#define LIMOE_INSTANTIATE(T, G)                                                                           \
  template void moe_combine_forward(Stream, const T*, const G*, const int32_t*, T*, const CombineSizes&); \
  template void moe_combine_backward_rows(Stream, const G*, const int32_t*, const T*, T*,                 \
                                          const CombineSizes&);                                           \
  template void moe_combine_backward_gates(Stream, const T*, const int32_t*, const T*, G*,                \
                                           const CombineSizes&);

LIMOE_INSTANTIATE(float, float)
LIMOE_INSTANTIATE(bf16, float)
LIMOE_INSTANTIATE(bf16, bf16)
#undef LIMOE_INSTANTIATE

}  // namespace limoe::cuda
