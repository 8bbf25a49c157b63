// Making tensors, reading them, moving them.
#pragma once

#include <vector>

#include "tensor/tensor.h"

namespace limoe {

Tensor empty(const Shape& shape, DType dtype = DType::f32, Device device = {});  // uninitialised
Tensor empty_like(const Tensor& other);                                          // contiguous, uninitialised
Tensor zeros(const Shape& shape, DType dtype = DType::f32, Device device = {});
Tensor zeros_like(const Tensor& other);
Tensor full(const Shape& shape, double value, DType dtype = DType::f32, Device device = {});

// values in row-major order; throws ShapeError when their number does not fit.
template <class T>
Tensor from_vector(const Shape& shape, const std::vector<T>& values, Device device = {});

// Values in row-major order, converted to T (f64 -> float and the like round; floating -> integer throws
// DTypeError). Reads back from the device and waits for it.
template <class T>
std::vector<T> to_vector(const Tensor& tensor);

double item(const Tensor& scalar);  // the one element of a tensor; the only other read-back

Tensor contiguous(const Tensor& tensor);  // the tensor itself when it is contiguous already, else a copy
Tensor clone(const Tensor& tensor);       // always a contiguous copy
Tensor to_dtype(const Tensor& tensor, DType dtype);
Tensor to_device(const Tensor& tensor, Device device);

void fill_zero(Tensor& tensor);                    // contiguous tensors only
void copy_into(Tensor& to, const Tensor& from);    // same shape, dtype and device; both contiguous
void add_into(Tensor& sum, const Tensor& addend);  // sum += addend, likewise

// Independent draws, element i from index i of the stream (random.h). On a device the logarithm and cosine
// may differ from the CPU's in their last bits, and so may normal numbers.
Tensor random_normal(const Shape& shape, double mean, double deviation, uint64_t seed, uint64_t stream,
                     DType dtype = DType::f32, Device device = {});
Tensor random_uniform(const Shape& shape, double low, double high, uint64_t seed, uint64_t stream,
                      DType dtype = DType::f32);

}  // namespace limoe
