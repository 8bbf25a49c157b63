#include "ops/grouped_linear.h"

#include <algorithm>
#include <vector>

#include "autograd/record.h"
#include "cuda/grouped_linear.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/gemm.h"
#include "ops/row_begin.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

struct Sizes {
  int64_t experts, inputs, outputs;  // E, K, M
  MatmulPrecision precision = MatmulPrecision::fp32;
};

constexpr int64_t kRowTile = 256;     // rows of an expert; in shorter tiles packing the kernel starts to show
constexpr int64_t kColumnTile = 192;  // rows or columns of a kernel's gradient, likewise

// A piece of one expert's work: rows of the buffer, or rows or columns of its kernel.
struct Tile {
  int64_t expert, begin, end;
};

// Cuts [begin, end) evenly into pieces of at most `longest`.
void cut(int64_t expert, int64_t begin, int64_t end, int64_t longest, std::vector<Tile>& tiles) {
  const int64_t pieces = run_count(end - begin, longest);
  for (int64_t piece = 0; piece < pieces; ++piece)
    tiles.push_back(
        {expert, begin + (end - begin) * piece / pieces, begin + (end - begin) * (piece + 1) / pieces});
}

std::vector<Tile> row_tiles(const int32_t* row_begin, int64_t experts) {
  std::vector<Tile> tiles;
  for (int64_t expert = 0; expert < experts; ++expert)
    cut(expert, row_begin[expert], row_begin[expert + 1], kRowTile, tiles);
  return tiles;
}

std::vector<Tile> kernel_tiles(int64_t experts, int64_t length) {
  std::vector<Tile> tiles;
  for (int64_t expert = 0; expert < experts; ++expert) cut(expert, 0, length, kColumnTile, tiles);
  return tiles;
}

template <class Body>
void for_each(const std::vector<Tile>& tiles, const Body& body) {
  parallel_for(int64_t(tiles.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(tiles[i]);
  });
}

template <class T>
void zero_rows(T* rows, int64_t begin, int64_t end, int64_t width) {
  std::fill(rows + begin * width, rows + end * width, T(0));
}

template <class T>
void forward_cpu(const T* rows, const T* kernel, const T* bias, const int32_t* row_begin, T* y, Sizes sizes) {
  for_each(row_tiles(row_begin, sizes.experts), [=](Tile tile) {
    T* const out = y + tile.begin * sizes.outputs;
    gemm_on_this_thread<T>(tile.end - tile.begin, sizes.outputs, sizes.inputs,
                           {rows + tile.begin * sizes.inputs, sizes.inputs},
                           {kernel + tile.expert * sizes.inputs * sizes.outputs, sizes.outputs}, T(0), out,
                           sizes.outputs, bias + tile.expert * sizes.outputs, sizes.precision);
  });
}

template <class T>
void backward_rows_cpu(const T* kernel, const int32_t* row_begin, const T* dy, T* drows, Sizes sizes) {
  for_each(row_tiles(row_begin, sizes.experts), [=](Tile tile) {
    gemm_on_this_thread<T>(tile.end - tile.begin, sizes.inputs, sizes.outputs,
                           {dy + tile.begin * sizes.outputs, sizes.outputs},
                           {kernel + tile.expert * sizes.inputs * sizes.outputs, sizes.outputs, true}, T(0),
                           drows + tile.begin * sizes.inputs, sizes.inputs, nullptr, sizes.precision);
  });
}

// The longer side of the kernel is cut, so that even one expert's gradient is many tiles.
template <class T>
void backward_kernel_cpu(const T* rows, const int32_t* row_begin, const T* dy, T* dkernel, Sizes sizes) {
  const bool cut_inputs = sizes.inputs > sizes.outputs;
  const int64_t inputs = sizes.inputs, outputs = sizes.outputs;
  for_each(kernel_tiles(sizes.experts, std::max(inputs, outputs)), [=](Tile tile) {
    const int64_t begin = row_begin[tile.expert], count = row_begin[tile.expert + 1] - begin;
    const int64_t input = cut_inputs ? tile.begin : 0, output = cut_inputs ? 0 : tile.begin;
    gemm_on_this_thread<T>(
        cut_inputs ? tile.end - tile.begin : inputs, cut_inputs ? outputs : tile.end - tile.begin, count,
        {rows + begin * inputs + input, inputs, true}, {dy + begin * outputs + output, outputs}, T(0),
        dkernel + (tile.expert * inputs + input) * outputs + output, outputs, nullptr, sizes.precision);
  });
}

template <class T>
void backward_bias_cpu(const int32_t* row_begin, const T* dy, T* dbias, Sizes sizes) {
  for_each(kernel_tiles(sizes.experts, sizes.outputs), [=](Tile tile) {
    const int64_t width = tile.end - tile.begin;
    auto sum = as_row(dbias + tile.expert * sizes.outputs + tile.begin, width);
    sum.setZero();
    for (int64_t row = row_begin[tile.expert]; row < row_begin[tile.expert + 1]; ++row)
      sum += as_row(dy + row * sizes.outputs + tile.begin, width);
  });
}

cuda::GroupedShape device_shape(Sizes sizes, int64_t rows) {
  return {.experts = sizes.experts, .rows = rows, .inputs = sizes.inputs, .outputs = sizes.outputs};
}

}  // namespace

Tensor grouped_linear_forward(const Tensor& rows, const Tensor& kernel, const Tensor& bias,
                              const Tensor& row_begin, MatmulPrecision precision) {
  constexpr const char* kOp = "grouped_linear";
  expect_floating(kOp, "rows", rows);
  expect_rank(kOp, "rows", rows, 2);
  expect_rank(kOp, "kernel", kernel, 3);
  expect_dim(kOp, "kernel", kernel, 1, rows.dim(1), "because rows is ", rows.shape());
  expect_same_kind(kOp, "kernel", kernel, "rows", rows);
  expect_shape(kOp, "bias", bias, {kernel.dim(0), kernel.dim(2)}, "because kernel is ", kernel.shape());
  expect_same_kind(kOp, "bias", bias, "rows", rows);
  expect_precision(kOp, precision, "rows", rows);
  const Sizes sizes{kernel.dim(0), kernel.dim(1), kernel.dim(2), precision};
  const Tensor begins = checked_row_begin(kOp, row_begin, sizes.experts, "rows", rows);
  const Tensor in = contiguous(rows), weights = contiguous(kernel), shift = contiguous(bias);
  Tensor y = empty({rows.dim(0), sizes.outputs}, rows.dtype(), rows.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const int32_t* const begin = begins.data<int32_t>();
    T* const out = y.mutable_data<T>();
    forward_cpu(in.data<T>(), weights.data<T>(), shift.data<T>(), begin, out, sizes);
    zero_rows(out, begin[sizes.experts], y.dim(0), sizes.outputs);
  };
  dispatch(kOp, in, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::grouped_linear_forward(on.stream, device_shape(sizes, y.dim(0)), in.device_data<T>(),
                                 weights.device_data<T>(), shift.device_data<T>(),
                                 begins.device_data<int32_t>(), y.mutable_device_data<T>());
  });
  return y;
}

Tensor grouped_linear_backward_rows(const Tensor& kernel, const Tensor& row_begin, const Tensor& dy,
                                    MatmulPrecision precision) {
  constexpr const char* kOp = "grouped_linear backward";
  const Sizes sizes{kernel.dim(0), kernel.dim(1), kernel.dim(2), precision};
  expect_rank(kOp, "dy", dy, 2);
  expect_dim(kOp, "dy", dy, 1, sizes.outputs, "because kernel is ", kernel.shape());
  expect_same_kind(kOp, "dy", dy, "kernel", kernel);
  expect_precision(kOp, precision, "dy", dy);
  const Tensor begins = checked_row_begin(kOp, row_begin, sizes.experts, "dy", dy);
  const Tensor weights = contiguous(kernel), gradient = contiguous(dy);
  Tensor drows = empty({dy.dim(0), sizes.inputs}, dy.dtype(), dy.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const int32_t* const begin = begins.data<int32_t>();
    T* const out = drows.mutable_data<T>();
    backward_rows_cpu(weights.data<T>(), begin, gradient.data<T>(), out, sizes);
    zero_rows(out, begin[sizes.experts], drows.dim(0), sizes.inputs);
  };
  dispatch(kOp, gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::grouped_linear_backward_rows(on.stream, device_shape(sizes, dy.dim(0)), weights.device_data<T>(),
                                       begins.device_data<int32_t>(), gradient.device_data<T>(),
                                       drows.mutable_device_data<T>());
  });
  return drows;
}

Tensor grouped_linear_backward_kernel(const Tensor& rows, const Tensor& row_begin, const Tensor& dy,
                                      MatmulPrecision precision, Tensor room) {
  constexpr const char* kOp = "grouped_linear backward";
  expect_rank(kOp, "dy", dy, 2);
  expect_dim(kOp, "dy", dy, 0, rows.dim(0), "because rows is ", rows.shape());
  expect_same_kind(kOp, "dy", dy, "rows", rows);
  expect_precision(kOp, precision, "dy", dy);
  const Sizes sizes{row_begin.dim(0) - 1, rows.dim(1), dy.dim(1), precision};
  const Tensor begins = checked_row_begin(kOp, row_begin, sizes.experts, "dy", dy);
  const Tensor in = contiguous(rows), gradient = contiguous(dy);
  Tensor dkernel = room_or_new(kOp, std::move(room), {sizes.experts, sizes.inputs, sizes.outputs}, dy);
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    backward_kernel_cpu(in.data<T>(), begins.data<int32_t>(), gradient.data<T>(), dkernel.mutable_data<T>(),
                        sizes);
  };
  dispatch(kOp, gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::grouped_linear_backward_kernel(on.stream, device_shape(sizes, dy.dim(0)), in.device_data<T>(),
                                         begins.device_data<int32_t>(), gradient.device_data<T>(),
                                         dkernel.mutable_device_data<T>());
  });
  return dkernel;
}

Tensor grouped_linear_backward_bias(const Tensor& row_begin, const Tensor& dy) {
  constexpr const char* kOp = "grouped_linear backward";
  expect_rank(kOp, "dy", dy, 2);
  const Sizes sizes{row_begin.dim(0) - 1, 0, dy.dim(1)};
  const Tensor begins = checked_row_begin(kOp, row_begin, sizes.experts, "dy", dy);
  const Tensor gradient = contiguous(dy);
  Tensor dbias = empty({sizes.experts, sizes.outputs}, dy.dtype(), dy.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    backward_bias_cpu(begins.data<int32_t>(), gradient.data<T>(), dbias.mutable_data<T>(), sizes);
  };
  dispatch(kOp, gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    const cuda::GroupedShape shape = device_shape(sizes, dy.dim(0));
    Tensor partials = empty({cuda::grouped_bias_runs(shape), sizes.outputs}, DType::f32, dy.device());
    cuda::grouped_linear_backward_bias(on.stream, shape, begins.device_data<int32_t>(),
                                       gradient.device_data<T>(), partials.mutable_device_data<float>(),
                                       dbias.mutable_device_data<T>());
  });
  return dbias;
}

Var grouped_linear(const Var& rows, const Var& kernel, const Var& bias, const Tensor& row_begin,
                   MatmulPrecision precision) {
  return record("grouped_linear",
                grouped_linear_forward(rows.value(), kernel.value(), bias.value(), row_begin, precision),
                {rows, kernel, bias},
                [rows = save(rows, "rows"), kernel = save(kernel.value(), "kernel"),
                 row_begin = save(row_begin, "row_begin"), precision](const Tensor& dy, InputGradients& d) {
                  const Tensor& begins = row_begin.get();
                  if (d.wanted(0))
                    d.set(0, grouped_linear_backward_rows(kernel.get(), begins, dy, precision));
                  if (d.wanted(1))
                    d.set(1, grouped_linear_backward_kernel(rows.get(), begins, dy, precision,
                                                            d.room(1, kernel.get())));
                  if (d.wanted(2)) d.set(2, grouped_linear_backward_bias(begins, dy));
                });
}

}  // namespace limoe
