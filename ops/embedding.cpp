#include "ops/embedding.h"

#include <vector>

#include "autograd/record.h"
#include "cuda/embedding.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

Shape output_shape(const Shape& ids, int64_t width) {
  std::vector<int64_t> sizes(ids.begin(), ids.end());
  sizes.push_back(width);
  return Shape(std::span<const int64_t>(sizes));
}

// Flat place 5 of [2, 3] -> "[1, 2]".
std::string place_text(int64_t flat, const Shape& shape) {
  std::string text;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    text = std::to_string(flat % shape[axis]) + (text.empty() ? "" : ", ") + text;
    flat /= shape[axis];
  }
  return "[" + text + "]";
}

// On a device the values are not looked at, which would have to wait for it: there an id outside the table
// gives NaN.
void expect_ids(const Tensor& ids, const char* like_name, const Tensor& like, int64_t rows) {
  expect_dtype("embedding", "ids", ids, DType::i32);
  expect_same_device("embedding", "ids", ids, like_name, like);
  if (ids.device().kind != DeviceKind::cpu) return;
  const Tensor host = contiguous(ids);
  const int32_t* const id = host.data<int32_t>();
  for (int64_t place = 0; place < host.element_count(); ++place)
    if (id[place] < 0 || id[place] >= rows)
      throw ValueError("embedding: ids holds ", id[place], " at ", place_text(place, ids.shape()),
                       "; expected 0..", rows - 1, " because the table has ", rows, " rows");
}

template <class T>
void forward_cpu(const T* table, const int32_t* ids, T* y, int64_t count, int64_t width) {
  parallel_for(count, rows_per_run(width), [=](int64_t begin, int64_t end) {
    for (int64_t place = begin; place < end; ++place)
      as_row(y + place * width, width) = as_row(table + ids[place] * width, width);
  });
}

// places[begin_of[v] .. begin_of[v + 1]) are the places that hold v, in order: a counting sort.
struct PlacesById {
  std::vector<int64_t> begin_of, places;

  PlacesById(const int32_t* ids, int64_t count, int64_t rows)
      : begin_of(size_t(rows) + 1), places(size_t(count)) {
    for (int64_t place = 0; place < count; ++place) ++begin_of[size_t(ids[place]) + 1];
    for (size_t row = 1; row < begin_of.size(); ++row) begin_of[row] += begin_of[row - 1];
    std::vector<int64_t> next(begin_of.begin(), begin_of.end() - 1);
    for (int64_t place = 0; place < count; ++place) places[size_t(next[size_t(ids[place])]++)] = place;
  }
};

template <class T>
void backward_cpu(const PlacesById& sorted, const T* dy, T* dtable, int64_t rows, int64_t width) {
  parallel_for(rows, rows_per_run(width), [&, dy, dtable, width](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      auto sum = as_row(dtable + row * width, width);
      sum.setZero();
      for (int64_t at = sorted.begin_of[size_t(row)]; at < sorted.begin_of[size_t(row) + 1]; ++at)
        sum += as_row(dy + sorted.places[size_t(at)] * width, width);
    }
  });
}

}  // namespace

Tensor embedding_forward(const Tensor& table, const Tensor& ids) {
  expect_floating("embedding", "table", table);
  expect_rank("embedding", "table", table, 2);
  expect_ids(ids, "table", table, table.dim(0));
  const Tensor rows = contiguous(table), index = contiguous(ids);
  Tensor y = empty(output_shape(ids.shape(), table.dim(1)), table.dtype(), table.device());
  const int64_t places = ids.element_count();
  dispatch(
      "embedding", rows,
      [&]<class T>(OnCpu<T>) {
        forward_cpu(rows.data<T>(), index.data<int32_t>(), y.mutable_data<T>(), places, table.dim(1));
      },
      [&]<class T>(OnCuda<T> on) {
        cuda::embedding_forward(on.stream, rows.device_data<T>(), index.device_data<int32_t>(),
                                y.mutable_device_data<T>(), places, Rows{table.dim(0), table.dim(1)});
      });
  return y;
}

Tensor embedding_backward(const Shape& table_shape, const Tensor& ids, const Tensor& dy) {
  expect_shape("embedding backward", "dy", dy, output_shape(ids.shape(), table_shape[1]), "because ids is ",
               ids.shape());
  expect_ids(ids, "dy", dy, table_shape[0]);
  const Tensor index = contiguous(ids), gradient = contiguous(dy);
  Tensor dtable = empty(table_shape, dy.dtype(), dy.device());
  const int64_t places = index.element_count();
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const PlacesById sorted(index.data<int32_t>(), places, table_shape[0]);
    backward_cpu(sorted, gradient.data<T>(), dtable.mutable_data<T>(), table_shape[0], table_shape[1]);
  };
  dispatch("embedding backward", gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    Tensor integers = empty({cuda::embedding_scratch_integers(places)}, DType::i32, dy.device());
    Tensor floats = empty({cuda::embedding_scratch_floats(places, table_shape[1])}, DType::f32, dy.device());
    cuda::embedding_backward(on.stream, index.device_data<int32_t>(), gradient.device_data<T>(),
                             dtable.mutable_device_data<T>(), places, Rows{table_shape[0], table_shape[1]},
                             integers.mutable_device_data<int32_t>(), floats.mutable_device_data<float>());
  });
  return dtable;
}

Var embedding(const Var& table, const Tensor& ids) {
  return record("embedding", embedding_forward(table.value(), ids), {table},
                [shape = table.shape(), ids = save(ids, "ids")](const Tensor& dy, InputGradients& d) {
                  d.set(0, embedding_backward(shape, ids.get(), dy));
                });
}

}  // namespace limoe
