#include "cuda/l2_normalize.h"
#include "cuda/row_groups.cuh"

namespace limoe::cuda {
namespace {

constexpr float kGuard = 1e-8f;

}  // namespace

// A group of lanes for every row: the norm, then the result.
template <class T>
__global__ void l2_normalize_forward_kernel(const T* x, T* y, Rows rows, int lanes) {
  const RowGroup group(rows, lanes);
  float squares = 0;
  group.for_each_column([&](int64_t at) { squares += load(x + at) * load(x + at); });
  const float guarded = sqrtf(group_reduce<Sum>(squares, lanes)) + kGuard;
  group.for_each_column([&](int64_t at) { store(y + at, load(x + at) / guarded); });
}

// A group of lanes for every row: the norm and x . dy, then the result.
template <class T>
__global__ void l2_normalize_backward_kernel(const T* x, const T* dy, T* dx, Rows rows, int lanes) {
  const RowGroup group(rows, lanes);
  float squares = 0, product = 0;
  group.for_each_column([&](int64_t at) {
    squares += load(x + at) * load(x + at);
    product += load(x + at) * load(dy + at);
  });
  const float norm = sqrtf(group_reduce<Sum>(squares, lanes)), guarded = norm + kGuard;
  product = group_reduce<Sum>(product, lanes);
  // Divided one by one: n m^2 underflows long before its factors do.
  const float along = norm == 0.0f ? 0.0f : product / norm / guarded / guarded;
  group.for_each_column([&](int64_t at) { store(dx + at, load(dy + at) / guarded - load(x + at) * along); });
}

template <class T>
void l2_normalize_forward(Stream stream, const T* x, T* y, Rows rows) {
  if (rows.count == 0) return;
  launch<l2_normalize_forward_kernel<T>>(stream, row_groups_shape(rows), x, y, rows,
                                         lanes_of_row(rows.width));
}

template <class T>
void l2_normalize_backward(Stream stream, const T* x, const T* dy, T* dx, Rows rows) {
  if (rows.count == 0) return;
  launch<l2_normalize_backward_kernel<T>>(stream, row_groups_shape(rows), x, dy, dx, rows,
                                          lanes_of_row(rows.width));
}

template void l2_normalize_forward(Stream, const float*, float*, Rows);
template void l2_normalize_forward(Stream, const bf16*, bf16*, Rows);
template void l2_normalize_backward(Stream, const float*, const float*, float*, Rows);
template void l2_normalize_backward(Stream, const bf16*, const bf16*, bf16*, Rows);

}  // namespace limoe::cuda
