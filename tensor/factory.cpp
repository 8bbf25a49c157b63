#include "tensor/factory.h"

#include <algorithm>
#include <cstring>

#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/random.h"
#include "tensor/visit.h"

namespace limoe {
namespace {

template <class To, class From>
To convert(From value) {
  if constexpr (std::is_same_v<To, From>)
    return value;
  else if constexpr (std::is_same_v<From, bf16>)
    return To(float(value));
  else if constexpr (std::is_same_v<To, bf16>)
    return bf16(float(value));
  else
    return To(value);
}

Tensor on_cpu(const Tensor& tensor) {
  return to_device(tensor, Device{});
}

void expect_same_layout(const char* op, const Tensor& to, const Tensor& from) {
  if (to.shape() != from.shape())
    throw ShapeError(op, ": the source is ", from.shape(), "; expected ", to.shape(), " like the target");
  if (to.dtype() != from.dtype())
    throw DTypeError(op, ": the source is ", from.dtype(), "; expected ", to.dtype(), " like the target");
  if (to.device() != from.device())
    throw DeviceError(op, ": the source is on ", from.device(), "; expected ", to.device(),
                      " like the target");
  if (!to.is_contiguous() || !from.is_contiguous())
    throw ShapeError(op, ": a tensor ", to.shape(), " is a strided view; expected contiguous memory");
}

}  // namespace

Tensor empty(const Shape& shape, DType dtype, Device device) {
  return Tensor(shape, dtype, device);
}
Tensor empty_like(const Tensor& other) {
  return Tensor(other.shape(), other.dtype(), other.device());
}

Tensor zeros(const Shape& shape, DType dtype, Device device) {
  Tensor result(shape, dtype, device);
  fill_zero(result);
  return result;
}
Tensor zeros_like(const Tensor& other) {
  return zeros(other.shape(), other.dtype(), other.device());
}

Tensor full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor host(shape, dtype);
  visit(dtype, [&]<class T>(T) {
    if constexpr (std::is_same_v<T, int32_t>)
      if (double(int32_t(value)) != value)
        throw DTypeError("full: ", value, " is no i32; expected a whole number");
    std::fill_n(host.mutable_data<T>(), host.element_count(), convert<T>(value));
  });
  return to_device(host, device);
}

template <class T>
Tensor from_vector(const Shape& shape, const std::vector<T>& values, Device device) {
  if (int64_t(values.size()) != shape.element_count())
    throw ShapeError("from_vector: ", values.size(), " values were given; expected ", shape.element_count(),
                     " because the shape is ", shape);
  Tensor result(shape, dtype_of<T>, device);
  backend_of(device).copy_from_host(result.raw_mutable_data(), values.data(), result.byte_count());
  return result;
}

template <class T>
std::vector<T> to_vector(const Tensor& tensor) {
  const Tensor host = contiguous(on_cpu(tensor));
  std::vector<T> values(size_t(host.element_count()));
  visit(host.dtype(), [&]<class From>(From) {
    if constexpr (std::is_same_v<T, int32_t> && !std::is_same_v<From, int32_t>)
      throw DTypeError("to_vector: the tensor is ", host.dtype(),
                       "; expected i32, because nothing is rounded silently");
    else
      std::transform(host.data<From>(), host.data<From>() + values.size(), values.begin(), convert<T, From>);
  });
  return values;
}

template Tensor from_vector(const Shape&, const std::vector<float>&, Device);
template Tensor from_vector(const Shape&, const std::vector<double>&, Device);
template Tensor from_vector(const Shape&, const std::vector<int32_t>&, Device);
template Tensor from_vector(const Shape&, const std::vector<bf16>&, Device);
template std::vector<float> to_vector(const Tensor&);
template std::vector<double> to_vector(const Tensor&);
template std::vector<int32_t> to_vector(const Tensor&);
template std::vector<bf16> to_vector(const Tensor&);

double item(const Tensor& scalar) {
  if (scalar.element_count() != 1)
    throw ShapeError("item: the tensor is ", scalar.shape(), "; expected one element");
  return to_vector<double>(scalar)[0];
}

Tensor contiguous(const Tensor& tensor) {
  return tensor.is_contiguous() ? tensor : clone(tensor);
}

Tensor clone(const Tensor& tensor) {
  Tensor copy(tensor.shape(), tensor.dtype(), tensor.device());
  if (tensor.is_contiguous()) {
    backend_of(tensor.device()).copy(copy.raw_mutable_data(), tensor.raw_data(), tensor.byte_count());
    return copy;
  }
  backend_of(tensor.device())
      .copy_strided(copy.raw_mutable_data(), copy.strides(), tensor.raw_data(), tensor.strides(),
                    copy.shape(), copy.dtype());
  return copy;
}

Tensor to_dtype(const Tensor& tensor, DType dtype) {
  if (dtype == tensor.dtype()) return tensor;
  if (is_floating(tensor.dtype()) && !is_floating(dtype))
    throw DTypeError("to_dtype: ", tensor.dtype(), " to ", dtype,
                     " was asked for; nothing is rounded to integers silently");
  const Tensor host = contiguous(on_cpu(tensor));
  Tensor result(host.shape(), dtype);
  visit(host.dtype(), [&]<class From>(From) {
    visit(dtype, [&]<class To>(To) {
      std::transform(host.data<From>(), host.data<From>() + host.element_count(), result.mutable_data<To>(),
                     convert<To, From>);
    });
  });
  return to_device(result, tensor.device());
}

Tensor to_device(const Tensor& tensor, Device device) {
  if (tensor.device() == device) return tensor;
  const Tensor source = contiguous(tensor);
  Tensor result(source.shape(), source.dtype(), device);
  if (device.kind == DeviceKind::cpu)
    backend_of(source.device())
        .copy_to_host(result.raw_mutable_data(), source.raw_data(), source.byte_count());
  else
    backend_of(device).copy_from_host(result.raw_mutable_data(), on_cpu(source).raw_data(),
                                      source.byte_count());
  return result;
}

void fill_zero(Tensor& tensor) {
  if (!tensor.is_contiguous())
    throw ShapeError("fill_zero: ", tensor.shape(), " is a strided view; expected contiguous memory");
  backend_of(tensor.device()).zero(tensor.raw_mutable_data(), tensor.byte_count());
}

void copy_into(Tensor& to, const Tensor& from) {
  expect_same_layout("copy_into", to, from);
  backend_of(to.device()).copy(to.raw_mutable_data(), from.raw_data(), to.byte_count());
}

void add_into(Tensor& sum, const Tensor& addend) {
  expect_same_layout("add_into", sum, addend);
  backend_of(sum.device())
      .add_into(sum.raw_mutable_data(), addend.raw_data(), sum.element_count(), sum.dtype());
}

namespace {

template <class Draw>
Tensor drawn(const Shape& shape, DType dtype, const Draw& draw) {
  Tensor result(shape, dtype);
  visit(dtype, [&]<class T>(T) {
    if constexpr (std::is_same_v<T, int32_t>) {
      throw DTypeError("random: i32 was asked for; expected a floating dtype");
    } else {
      T* const to = result.mutable_data<T>();
      const int64_t count = result.element_count();
      for (int64_t i = 0; i < count; ++i) to[i] = convert<T>(draw(uint64_t(i)));
    }
  });
  return result;
}

}  // namespace

Tensor random_normal(const Shape& shape, double mean, double deviation, uint64_t seed, uint64_t stream,
                     DType dtype, Device device) {
  Tensor result(shape, dtype, device);
  backend_of(device).draw_normal(result.raw_mutable_data(), result.element_count(), dtype,
                                 {mean, deviation, seed, stream});
  return result;
}

Tensor random_uniform(const Shape& shape, double low, double high, uint64_t seed, uint64_t stream,
                      DType dtype) {
  return drawn(shape, dtype,
               [&](uint64_t i) { return low + (high - low) * random_uniform(seed, stream, i); });
}

}  // namespace limoe
