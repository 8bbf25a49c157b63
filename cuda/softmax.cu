#include "cuda/row_groups.cuh"
#include "cuda/softmax.h"

namespace limoe::cuda {

// A group of lanes for every row: its maximum, the sum of exp(), the result.
template <class T>
__global__ void softmax_forward_kernel(const T* x, T* y, Rows rows, int lanes) {
  const RowGroup group(rows, lanes);
  float largest = Max::identity();
  group.for_each_column([&](int64_t at) { largest = Max::combine(largest, load(x + at)); });
  largest = group_reduce<Max>(largest, lanes);
  float sum = 0;
  group.for_each_column([&](int64_t at) { sum += expf(load(x + at) - largest); });
  const float inverse = 1.0f / group_reduce<Sum>(sum, lanes);
  group.for_each_column([&](int64_t at) { store(y + at, expf(load(x + at) - largest) * inverse); });
}

// A group of lanes for every row: sum(y * dy), then the result.
template <class T>
__global__ void softmax_backward_kernel(const T* y, const T* dy, T* dx, Rows rows, int lanes) {
  const RowGroup group(rows, lanes);
  float along = 0;
  group.for_each_column([&](int64_t at) { along += load(y + at) * load(dy + at); });
  along = group_reduce<Sum>(along, lanes);
  group.for_each_column([&](int64_t at) { store(dx + at, load(y + at) * (load(dy + at) - along)); });
}

template <class T>
void softmax_forward(Stream stream, const T* x, T* y, Rows rows) {
  if (rows.count == 0) return;
  launch<softmax_forward_kernel<T>>(stream, row_groups_shape(rows), x, y, rows, lanes_of_row(rows.width));
}

template <class T>
void softmax_backward(Stream stream, const T* y, const T* dy, T* dx, Rows rows) {
  if (rows.count == 0) return;
  launch<softmax_backward_kernel<T>>(stream, row_groups_shape(rows), y, dy, dx, rows,
                                     lanes_of_row(rows.width));
}

template void softmax_forward(Stream, const float*, float*, Rows);
template void softmax_forward(Stream, const bf16*, bf16*, Rows);
template void softmax_backward(Stream, const float*, const float*, float*, Rows);
template void softmax_backward(Stream, const bf16*, const bf16*, bf16*, Rows);

}  // namespace limoe::cuda
