#include "tensor/tensor.h"

#include "tensor/error.h"

namespace limoe {
namespace {

size_t bytes_of(const Shape& shape, DType dtype) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(shape.element_count(), int64_t(size_of(dtype)), &bytes))
    throw ShapeError("tensor: ", shape, " of ", dtype, " has more bytes than 63 bits can count");
  return size_t(bytes);
}

}  // namespace

Tensor::Tensor(const Shape& shape, DType dtype, Device device)
    : storage_(std::make_shared<Storage>(bytes_of(shape, dtype), device)),
      shape_(shape),
      strides_(contiguous_strides(shape)),
      dtype_(dtype) {}

Device Tensor::device() const {
  return storage_ ? storage_->device() : Device{};
}

bool Tensor::is_contiguous() const {
  if (element_count() <= 1) return true;
  int64_t step = 1;
  for (int axis = rank() - 1; axis >= 0; --axis) {
    if (shape_[axis] == 1) continue;
    if (strides_[axis] != step) return false;
    step *= shape_[axis];
  }
  return true;
}

void Tensor::expect_type(DType wanted) const {
  if (!storage_) throw ValueError("tensor: holds nothing; expected a ", wanted, " tensor");
  if (dtype_ != wanted) throw DTypeError("tensor: elements are ", dtype_, "; expected ", wanted);
  if (device().kind != DeviceKind::cpu)
    throw DeviceError("tensor: values are on ", device(), "; expected cpu, where elements can be read");
}

void Tensor::expect_on_device(DType wanted) const {
  if (!storage_) throw ValueError("tensor: holds nothing; expected a ", wanted, " tensor");
  if (dtype_ != wanted) throw DTypeError("tensor: elements are ", dtype_, "; expected ", wanted);
  if (device().kind == DeviceKind::cpu)
    throw DeviceError("tensor: values are on cpu; expected the device that a kernel was asked to run on");
}

const std::byte* Tensor::raw_data() const {
  if (!storage_) throw ValueError("tensor: holds nothing; expected values");
  return storage_->data() + size_t(offset_) * size_of(dtype_);
}

std::byte* Tensor::raw_mutable_data() {
  if (!storage_) throw ValueError("tensor: holds nothing; expected memory to write to");
  return storage_->mutable_data() + size_t(offset_) * size_of(dtype_);
}

Tensor Tensor::reshape(const Shape& shape) const {
  if (shape.element_count() != element_count())
    throw ShapeError("reshape: the new shape ", shape, " has ", shape.element_count(), " elements; expected ",
                     element_count(), " because the tensor is ", shape_);
  if (!is_contiguous())
    throw ShapeError("reshape: the tensor ", shape_, " is a strided view; expected contiguous memory");
  Tensor view = *this;
  view.shape_ = shape;
  view.strides_ = contiguous_strides(shape);
  return view;
}

Tensor Tensor::transpose(int axis_a, int axis_b) const {
  const int a = shape_.normalized_axis(axis_a), b = shape_.normalized_axis(axis_b);
  Tensor view = *this;
  view.shape_ = shape_.with(a, shape_[b]).with(b, shape_[a]);
  std::swap(view.strides_[a], view.strides_[b]);
  return view;
}

Tensor Tensor::slice(int axis, int64_t begin, int64_t end) const {
  const int at = shape_.normalized_axis(axis);
  if (begin < 0 || end < begin || end > shape_[at])
    throw ShapeError("slice: [", begin, ", ", end, ") was asked of axis ", at, " of ", shape_,
                     "; expected 0 <= begin <= end <= ", shape_[at]);
  Tensor view = *this;
  view.shape_ = shape_.with(at, end - begin);
  view.offset_ += begin * strides_[at];
  return view;
}

Rows fold_leading_axes(const Shape& shape) {
  if (shape.rank() == 0) return {1, 1};
  return {shape.without_last().element_count(), shape[-1]};
}

}  // namespace limoe
