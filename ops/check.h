// Argument checks that ops share. Each throws before anything is allocated, with the message format of
// tensor/error.h:
//
//   <op>: <argument> is <found>; expected <wanted> [because <reason>]
#pragma once

#include "autograd/var.h"
#include "ops/matmul_precision.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/tensor.h"

namespace limoe {

// The reason is given as parts, printed after "; expected ...": "because a is ", a.shape().
template <class... Reason>
std::string reason_text(const Reason&... reason) {
  if constexpr (sizeof...(reason) == 0)
    return {};
  else
    return " " + concatenate(reason...);
}

inline void expect_rank(const char* op, const char* argument, const Tensor& x, int rank) {
  if (x.rank() != rank) throw ShapeError(op, ": ", argument, " is ", x.shape(), "; expected rank ", rank);
}

inline void expect_rank_at_least(const char* op, const char* argument, const Tensor& x, int rank) {
  if (x.rank() < rank)
    throw ShapeError(op, ": ", argument, " is ", x.shape(), "; expected rank ", rank, " or more");
}

template <class... Reason>
void expect_shape(const char* op, const char* argument, const Tensor& x, const Shape& wanted,
                  const Reason&... reason) {
  if (x.shape() != wanted)
    throw ShapeError(op, ": ", argument, " is ", x.shape(), "; expected ", wanted, reason_text(reason...));
}

template <class... Reason>
void expect_dim(const char* op, const char* argument, const Tensor& x, int axis, int64_t wanted,
                const Reason&... reason) {
  if (x.dim(axis) != wanted)
    throw ShapeError(op, ": ", argument, " is ", x.shape(), "; expected size ", wanted, " on axis ",
                     x.shape().normalized_axis(axis), reason_text(reason...));
}

inline void expect_dtype(const char* op, const char* argument, const Tensor& x, DType wanted) {
  if (x.dtype() != wanted) throw DTypeError(op, ": ", argument, " is ", x.dtype(), "; expected ", wanted);
}

inline void expect_floating(const char* op, const char* argument, const Tensor& x) {
  if (!is_floating(x.dtype()))
    throw DTypeError(op, ": ", argument, " is ", x.dtype(), "; expected a floating dtype");
}

// A precision below that of the operands is a choice for f32 on the CPU; tensors on a device are bf16 for it.
inline void expect_precision(const char* op, MatmulPrecision precision, const char* argument,
                             const Tensor& x) {
  if (precision != MatmulPrecision::fp32 && (x.dtype() != DType::f32 || x.device().kind != DeviceKind::cpu))
    throw DTypeError(op, ": ", argument, " is ", x.dtype(), " on ", x.device(),
                     "; expected f32 on cpu because the precision is bf16");
}

// `argument` must have the dtype and the device of `like`.
inline void expect_same_kind(const char* op, const char* argument, const Tensor& x, const char* like_name,
                             const Tensor& like) {
  if (x.dtype() != like.dtype())
    throw DTypeError(op, ": ", argument, " is ", x.dtype(), "; expected ", like.dtype(), " like ", like_name);
  if (x.device() != like.device())
    throw DeviceError(op, ": ", argument, " is on ", x.device(), "; expected ", like.device(), " like ",
                      like_name);
}

// Ids, masks and statistics need not have the dtype of `like`, but must lie beside it. An undefined tensor
// fits everywhere.
inline void expect_same_device(const char* op, const char* argument, const Tensor& x, const char* like_name,
                               const Tensor& like) {
  if (x.defined() && x.device() != like.device())
    throw DeviceError(op, ": ", argument, " is on ", x.device(), "; expected ", like.device(), " like ",
                      like_name);
}

// Where a result of the kind of `like` is written: `room`, which must fit, or new memory where that is
// undefined.
inline Tensor room_or_new(const char* op, Tensor room, const Shape& shape, const Tensor& like) {
  if (!room.defined()) return empty(shape, like.dtype(), like.device());
  expect_shape(op, "room", room, shape, "because the result is that");
  expect_same_kind(op, "room", room, "the result", like);
  if (!room.is_contiguous())
    throw ShapeError(op, ": room is a strided view ", room.shape(), "; expected contiguous memory");
  return room;
}

}  // namespace limoe
