#include "ops/moe_combine.h"

#include "autograd/record.h"
#include "cuda/moe_combine.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

template <class T>
void forward_cpu(const T* rows, const T* gates, const int32_t* row_of, int64_t choices, T* y, Rows tokens) {
  parallel_for(tokens.count, rows_per_run(tokens.width), [=](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      auto sum = as_row(y + token * tokens.width, tokens.width);
      sum.setZero();
      for (int64_t choice = token * choices; choice < (token + 1) * choices; ++choice)
        if (const int64_t row = row_of[choice]; row >= 0)
          sum += gates[choice] * as_row(rows + row * tokens.width, tokens.width);
    }
  });
}

template <class T>
void backward_rows_cpu(const T* gates, const int32_t* choice_of, int64_t choices, const T* dy, T* drows,
                       Rows rows) {
  parallel_for(rows.count, rows_per_run(rows.width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      auto out = as_row(drows + row * rows.width, rows.width);
      if (const int32_t choice = choice_of[row]; choice < 0)
        out.setZero();
      else
        out = gates[choice] * as_row(dy + choice / choices * rows.width, rows.width);
    }
  });
}

template <class T>
void backward_gates_cpu(const T* rows, const int32_t* row_of, int64_t choices, const T* dy, T* dgates,
                        Rows tokens) {
  parallel_for(tokens.count, rows_per_run(tokens.width), [=](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      const auto gradient = as_row(dy + token * tokens.width, tokens.width);
      for (int64_t choice = token * choices; choice < (token + 1) * choices; ++choice) {
        const int64_t row = row_of[choice];
        dgates[choice] = row < 0 ? T(0) : (gradient * as_row(rows + row * tokens.width, tokens.width)).sum();
      }
    }
  });
}

// The gates are of the rows' dtype; on a device they may be f32 beside rows in bf16, as the router is.
void expect_gates(const char* op, const Tensor& gates, const char* like_name, const Tensor& like) {
  if (like.device().kind == DeviceKind::cpu || gates.dtype() != DType::f32)
    expect_same_kind(op, "gates", gates, like_name, like);
  expect_same_device(op, "gates", gates, like_name, like);
}

// body(G{}) with the type of the gates beside rows of T on a device.
template <class T, class Body>
void with_gate_type(DType gates, const Body& body) {
  if (gates == DType::f32)
    body(float{});
  else
    body(T{});
}

}  // namespace

Tensor moe_combine_forward(const Tensor& rows, const Tensor& gates, const Routing& routing) {
  expect_floating("moe_combine", "rows", rows);
  expect_rank("moe_combine", "rows", rows, 2);
  expect_rank("moe_combine", "gates", gates, 2);
  expect_gates("moe_combine", gates, "rows", rows);
  expect_routing("moe_combine", routing, gates.dim(0));
  expect_shape("moe_combine", "gates", gates, routing.row_of.shape(), "because routing.row_of is that");
  expect_dim("moe_combine", "rows", rows, 0, gates.element_count(), "because gates is ", gates.shape());
  expect_same_device("moe_combine", "routing.row_of", routing.row_of, "rows", rows);
  const Tensor in = contiguous(rows), weights = contiguous(gates), row_of = contiguous(routing.row_of);
  Tensor y = empty({gates.dim(0), rows.dim(1)}, rows.dtype(), rows.device());
  dispatch(
      "moe_combine", in,
      [&]<class T>(OnCpu<T>) {
        forward_cpu(in.data<T>(), weights.data<T>(), row_of.data<int32_t>(), gates.dim(1),
                    y.mutable_data<T>(), fold_leading_axes(y.shape()));
      },
      [&]<class T>(OnCuda<T> on) {
        with_gate_type<T>(gates.dtype(), [&]<class G>(G) {
          cuda::moe_combine_forward(on.stream, in.device_data<T>(), weights.device_data<G>(),
                                    row_of.device_data<int32_t>(), y.mutable_device_data<T>(),
                                    {gates.dim(0), gates.dim(1), rows.dim(1)});
        });
      });
  return y;
}

Tensor moe_combine_backward_rows(const Tensor& gates, const Routing& routing, const Tensor& dy) {
  expect_rank("moe_combine backward", "dy", dy, 2);
  expect_dim("moe_combine backward", "dy", dy, 0, gates.dim(0), "because gates is ", gates.shape());
  expect_gates("moe_combine backward", gates, "dy", dy);
  const Tensor weights = contiguous(gates), choice_of = contiguous(routing.choice_of),
               gradient = contiguous(dy);
  Tensor drows = empty({choice_of.dim(0), dy.dim(1)}, dy.dtype(), dy.device());
  dispatch(
      "moe_combine backward", gradient,
      [&]<class T>(OnCpu<T>) {
        backward_rows_cpu(weights.data<T>(), choice_of.data<int32_t>(), gates.dim(1), gradient.data<T>(),
                          drows.mutable_data<T>(), fold_leading_axes(drows.shape()));
      },
      [&]<class T>(OnCuda<T> on) {
        with_gate_type<T>(gates.dtype(), [&]<class G>(G) {
          cuda::moe_combine_backward_rows(on.stream, weights.device_data<G>(),
                                          choice_of.device_data<int32_t>(), gradient.device_data<T>(),
                                          drows.mutable_device_data<T>(),
                                          {gates.dim(0), gates.dim(1), dy.dim(1)});
        });
      });
  return drows;
}

Tensor moe_combine_backward_gates(const Tensor& rows, const Routing& routing, const Tensor& dy, DType dtype) {
  const int64_t tokens = routing.row_of.dim(0), choices = routing.row_of.dim(1);
  expect_shape("moe_combine backward", "dy", dy, {tokens, rows.dim(1)}, "because rows is ", rows.shape(),
               " and row_of is ", routing.row_of.shape());
  const Tensor in = contiguous(rows), row_of = contiguous(routing.row_of), gradient = contiguous(dy);
  Tensor dgates = empty({tokens, choices}, dtype, dy.device());
  dispatch(
      "moe_combine backward", gradient,
      [&]<class T>(OnCpu<T>) {
        backward_gates_cpu(in.data<T>(), row_of.data<int32_t>(), choices, gradient.data<T>(),
                           dgates.mutable_data<T>(), fold_leading_axes(dy.shape()));
      },
      [&]<class T>(OnCuda<T> on) {
        with_gate_type<T>(dtype, [&]<class G>(G) {
          cuda::moe_combine_backward_gates(on.stream, in.device_data<T>(), row_of.device_data<int32_t>(),
                                           gradient.device_data<T>(), dgates.mutable_device_data<G>(),
                                           {tokens, choices, dy.dim(1)});
        });
      });
  return dgates;
}

Var moe_combine(const Var& rows, const Var& gates, const Routing& routing) {
  return record("moe_combine", moe_combine_forward(rows.value(), gates.value(), routing), {rows, gates},
                [rows = save(rows.value(), "rows"), gates = save(gates.value(), "gates"), routing](
                    const Tensor& dy, InputGradients& d) {
                  if (d.wanted(0)) d.set(0, moe_combine_backward_rows(gates.get(), routing, dy));
                  if (d.wanted(1))
                    d.set(1, moe_combine_backward_gates(rows.get(), routing, dy, gates.get().dtype()));
                });
}

}  // namespace limoe
