#include "cuda/elementwise.cuh"
#include "cuda/normalize_gates.h"

namespace limoe::cuda {

// Lanes stride over rows.
template <class T>
__global__ void normalize_gates_forward_kernel(const T* gates, T* y, Rows rows) {
  for (int64_t row = first_item(); row < rows.count; row += item_stride()) {
    const T* const in = gates + row * rows.width;
    float sum = 0;
    for (int64_t k = 0; k < rows.width; ++k) sum += load(in + k);
    for (int64_t k = 0; k < rows.width; ++k)
      store(y + row * rows.width + k, sum == 0.0f ? 0.0f : load(in + k) / sum);
  }
}

// Lanes stride over rows.
template <class T>
__global__ void normalize_gates_backward_kernel(const T* gates, const T* dy, T* dgates, Rows rows) {
  for (int64_t row = first_item(); row < rows.count; row += item_stride()) {
    const T *const in = gates + row * rows.width, *const gradient = dy + row * rows.width;
    float sum = 0, along = 0;
    for (int64_t k = 0; k < rows.width; ++k) {
      sum += load(in + k);
      along += load(in + k) * load(gradient + k);
    }
    for (int64_t k = 0; k < rows.width; ++k)
      store(dgates + row * rows.width + k, sum == 0.0f ? 0.0f : (load(gradient + k) - along / sum) / sum);
  }
}

template <class T>
void normalize_gates_forward(Stream stream, const T* gates, T* y, Rows rows) {
  if (rows.count == 0) return;
  launch<normalize_gates_forward_kernel<T>>(stream, elementwise_shape(rows.count), gates, y, rows);
}

template <class T>
void normalize_gates_backward(Stream stream, const T* gates, const T* dy, T* dgates, Rows rows) {
  if (rows.count == 0) return;
  launch<normalize_gates_backward_kernel<T>>(stream, elementwise_shape(rows.count), gates, dy, dgates, rows);
}

template void normalize_gates_forward(Stream, const float*, float*, Rows);
template void normalize_gates_forward(Stream, const bf16*, bf16*, Rows);
template void normalize_gates_backward(Stream, const float*, const float*, float*, Rows);
template void normalize_gates_backward(Stream, const bf16*, const bf16*, bf16*, Rows);

}  // namespace limoe::cuda
