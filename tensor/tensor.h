// Tensor: a shape over shared memory. Values only: it knows nothing of gradients and has no arithmetic.
//
// A Tensor is a handle: copying it shares the memory, clone() copies the values. Views (reshape, transpose,
// slice) cost nothing and share memory too. Kernels only ever see contiguous memory: an op calls contiguous()
// at its door.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/rows.h"
#include "tensor/shape.h"
#include "tensor/storage.h"

namespace limoe {

class Tensor {
 public:
  Tensor() = default;  // holds nothing; defined() is false

  // Uninitialised memory. Throws OutOfMemoryError.
  Tensor(const Shape& shape, DType dtype, Device device = {});

  bool defined() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int axis) const { return shape_[axis]; }
  int64_t element_count() const { return shape_.element_count(); }
  DType dtype() const { return dtype_; }
  Device device() const;
  const Strides& strides() const { return strides_; }
  bool is_contiguous() const;
  size_t byte_count() const { return size_t(element_count()) * size_of(dtype_); }

  // The first element. Throws DTypeError for another T; throws DeviceError unless on the CPU.
  template <class T>
  const T* data() const {
    expect_type(dtype_of<T>);
    return reinterpret_cast<const T*>(raw_data());
  }
  // The same, for writing: counts as a write to the storage, which saved tensors notice.
  template <class T>
  T* mutable_data() {
    expect_type(dtype_of<T>);
    return reinterpret_cast<T*>(raw_mutable_data());
  }
  // What kernels are given: an address of the device's memory. Throws DeviceError on the CPU.
  template <class T>
  const T* device_data() const {
    expect_on_device(dtype_of<T>);
    return reinterpret_cast<const T*>(raw_data());
  }
  template <class T>
  T* mutable_device_data() {
    expect_on_device(dtype_of<T>);
    return reinterpret_cast<T*>(raw_mutable_data());
  }
  const std::byte* raw_data() const;
  std::byte* raw_mutable_data();

  // Views. reshape() needs contiguous memory and equal element counts.
  Tensor reshape(const Shape& shape) const;
  Tensor transpose(int axis_a, int axis_b) const;
  Tensor slice(int axis, int64_t begin, int64_t end) const;  // [begin, end)

  // True iff no other tensor shares the memory, so that writing to it can be seen by nobody else.
  bool owns_memory_alone() const { return storage_ && storage_.use_count() == 1; }
  bool shares_memory_with(const Tensor& other) const { return storage_ && storage_ == other.storage_; }
  uint64_t write_count() const { return storage_ ? storage_->write_count() : 0; }
  // Whose memory this is, for the message of an OutOfMemoryError: an op, with its layer in front
  // ("blocks.3.moe/linear"), or a purpose. The first name stays.
  void name_memory(std::string_view owner) const {
    if (storage_) storage_->name(owner);
  }

 private:
  void expect_type(DType wanted) const;
  void expect_on_device(DType wanted) const;

  std::shared_ptr<Storage> storage_;
  Shape shape_;
  Strides strides_{};
  int64_t offset_ = 0;  // in elements
  DType dtype_ = DType::f32;
};

// [2, 3, 4] -> {count 6, width 4}; a rank of 0 is one row of one.
Rows fold_leading_axes(const Shape& shape);

}  // namespace limoe
