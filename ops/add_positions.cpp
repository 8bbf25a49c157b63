#include "ops/add_positions.h"

#include "autograd/record.h"
#include "cuda/add_positions.h"
#include "cuda/column_sums.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/row_sums.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

// A sequence of T tokens is one row of T * D numbers.
Rows sequences_as_rows(const Shape& shape) {
  return {shape[0], shape[1] * shape[2]};
}

template <class T>
void forward_cpu(const T* x, const T* positions, T* y, Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      as_row(y + row * rows.width, rows.width) =
          as_row(x + row * rows.width, rows.width) + as_row(positions, rows.width);
  });
}

}  // namespace

Tensor add_positions_forward(const Tensor& x, const Tensor& positions) {
  expect_floating("add_positions", "x", x);
  expect_rank("add_positions", "x", x, 3);
  expect_shape("add_positions", "positions", positions, {x.dim(1), x.dim(2)}, "because x is ", x.shape());
  expect_same_kind("add_positions", "positions", positions, "x", x);
  const Tensor in = contiguous(x), offsets = contiguous(positions);
  Tensor y = empty_like(in);
  const Rows rows = sequences_as_rows(x.shape());
  dispatch(
      "add_positions", in,
      [&]<class T>(OnCpu<T>) { forward_cpu(in.data<T>(), offsets.data<T>(), y.mutable_data<T>(), rows); },
      [&]<class T>(OnCuda<T> on) {
        cuda::add_positions_forward(on.stream, in.device_data<T>(), offsets.device_data<T>(),
                                    y.mutable_device_data<T>(), rows);
      });
  return y;
}

Tensor add_positions_backward(const Tensor& dy) {
  expect_rank("add_positions backward", "dy", dy, 3);
  const Tensor gradient = contiguous(dy);
  Tensor dpositions = empty({dy.dim(1), dy.dim(2)}, dy.dtype(), dy.device());
  const Rows rows = sequences_as_rows(dy.shape());
  dispatch(
      "add_positions backward", gradient,
      [&]<class T>(OnCpu<T>) { column_sums(gradient.data<T>(), rows, dpositions.mutable_data<T>()); },
      [&]<class T>(OnCuda<T> on) {
        Tensor partials = empty({cuda::column_sum_runs(rows), rows.width}, DType::f32, dy.device());
        cuda::column_sums(on.stream, gradient.device_data<T>(), partials.mutable_device_data<float>(),
                          dpositions.mutable_device_data<T>(), rows);
      });
  return dpositions;
}

Var add_positions(const Var& x, const Var& positions) {
  return record("add_positions", add_positions_forward(x.value(), positions.value()), {x, positions},
                [](const Tensor& dy, InputGradients& d) {
                  d.set(0, dy);
                  if (d.wanted(1)) d.set(1, add_positions_backward(dy));
                });
}

}  // namespace limoe
