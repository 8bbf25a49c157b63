#include "ops/contrastive_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "cuda/contrastive_loss.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/gemm.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

template <class T>
struct Pairs {
  const T *image, *text;  // [n, d]
  int64_t n, d;
  T scale;  // exp(log_scale)

  // Rows begin .. begin + rows - 1 of A, but for the factor `scale`, which the passes over it put in.
  void products(int64_t begin, int64_t rows, T* block) const {
    gemm<T>(rows, n, d, {image + begin * d, d}, {text, d, true}, T(0), block, n);
  }
};

template <class T, class Work>
void for_each_block(const Pairs<T>& pairs, int64_t chunk, const Work& work) {
  const int64_t most_rows = std::min(chunk, pairs.n);
  Tensor memory = empty({most_rows, pairs.n}, dtype_of<T>);
  T* const block = memory.mutable_data<T>();
  for (int64_t begin = 0; begin < pairs.n; begin += most_rows) {
    const int64_t rows = std::min(most_rows, pairs.n - begin);
    pairs.products(begin, rows, block);
    work(begin, rows, block);
  }
}

// Multiplies a block by the scale; writes its rows' log-sum-exp, and the diagonal of A.
template <class T>
void rows_of_block(const Pairs<T>& pairs, int64_t begin, int64_t rows, T* block, T* row_lse, T* diagonal) {
  parallel_for(rows, rows_per_run(pairs.n), [=](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      auto row = as_row(block + i * pairs.n, pairs.n);
      row *= pairs.scale;
      const T largest = row.template maxCoeff<Eigen::PropagateNaN>();
      row_lse[begin + i] = largest + std::log((row - largest).exp().sum());
      diagonal[begin + i] = row[begin + i];
    }
  });
}

constexpr int64_t kColumnsPerRun = 256;

// The running maximum and sum of exp(a - maximum) of every column, taken on by one block.
template <class T>
void columns_of_block(const T* block, int64_t rows, int64_t n, T* largest, T* sums) {
  parallel_for(n, kColumnsPerRun, [=](int64_t first, int64_t last) {
    const int64_t width = last - first;
    auto maximum = as_row(largest + first, width), sum = as_row(sums + first, width);
    RowArray<T> higher = maximum;
    for (int64_t i = 0; i < rows; ++i) higher = higher.max(as_row(block + i * n + first, width));
    sum *= (maximum - higher).exp();
    for (int64_t i = 0; i < rows; ++i) sum += (as_row(block + i * n + first, width) - higher).exp();
    maximum = higher;
  });
}

// The mean of lse - diagonal, added up in order.
template <class T>
double mean_loss(const T* lse, const T* diagonal, int64_t n) {
  double total = 0;
  for (int64_t i = 0; i < n; ++i) total += double(lse[i]) - double(diagonal[i]);
  return total / double(n);
}

template <class T>
void forward_cpu(const Pairs<T>& pairs, int64_t chunk, ContrastiveOutput& output) {
  T *row_lse = output.row_lse.mutable_data<T>(), *column_lse = output.column_lse.mutable_data<T>();
  Tensor scratch = empty({2, pairs.n}, dtype_of<T>);
  T *const diagonal = scratch.mutable_data<T>(), *const sums = diagonal + pairs.n;
  std::fill_n(column_lse, pairs.n, -std::numeric_limits<T>::infinity());  // the maximum, until the end
  std::fill_n(sums, pairs.n, T(0));
  for_each_block(pairs, chunk, [&](int64_t begin, int64_t rows, T* block) {
    rows_of_block(pairs, begin, rows, block, row_lse, diagonal);
    columns_of_block(block, rows, pairs.n, column_lse, sums);
  });
  as_row(column_lse, pairs.n) += as_row(sums, pairs.n).log();
  const double to_text = mean_loss(row_lse, diagonal, pairs.n),
               to_image = mean_loss(column_lse, diagonal, pairs.n);
  *output.image_to_text.mutable_data<T>() = T(to_text);
  *output.text_to_image.mutable_data<T>() = T(to_image);
  *output.loss.mutable_data<T>() = T((to_text + to_image) / 2);
}

// Turns a block of products into dA * scale, and writes every row's sum of dA * A.
template <class T>
void gradient_of_block(const Pairs<T>& pairs, int64_t begin, int64_t rows, const T* row_lse,
                       const T* column_lse, T weight, T* block, double* along) {
  parallel_for(rows, rows_per_run(pairs.n), [=](int64_t first, int64_t last) {
    RowArray<T> logits(pairs.n);
    for (int64_t i = first; i < last; ++i) {
      auto row = as_row(block + i * pairs.n, pairs.n);
      logits = row * pairs.scale;
      row = (logits - row_lse[begin + i]).exp() + (logits - as_row(column_lse, pairs.n)).exp();
      row[begin + i] -= T(2);
      along[begin + i] = double(weight) * double((row * logits).sum());
      row *= weight * pairs.scale;
    }
  });
}

template <class T>
void backward_cpu(const Pairs<T>& pairs, const T* row_lse, const T* column_lse, T dloss, int64_t chunk,
                  ContrastiveGradients& gradients) {
  const auto [image, text, n, d, scale] = pairs;
  T *const dimage = gradients.dimage.mutable_data<T>(), *const dtext = gradients.dtext.mutable_data<T>();
  std::vector<double> along(static_cast<size_t>(n));
  for_each_block(
      pairs, chunk, [&, image = image, text = text, n = n, d = d](int64_t begin, int64_t rows, T* block) {
        gradient_of_block(pairs, begin, rows, row_lse, column_lse, dloss / T(2 * n), block, along.data());
        gemm<T>(rows, d, n, {block, n}, {text, d}, T(0), dimage + begin * d, d);
        gemm<T>(n, d, rows, {block, n, true}, {image + begin * d, d}, T(begin > 0), dtext, d);
      });
  double total = 0;
  for (const double row : along) total += row;
  *gradients.dlog_scale.mutable_data<T>() = T(total);
}

template <class T>
Pairs<T> pairs_of(const Tensor& image, const Tensor& text, const Tensor& log_scale) {
  return {image.data<T>(), text.data<T>(), image.dim(0), image.dim(1), std::exp(*log_scale.data<T>())};
}

void expect_arguments(const Tensor& image, const Tensor& text, const Tensor& log_scale, int64_t chunk) {
  expect_floating("contrastive_loss", "image", image);
  expect_rank("contrastive_loss", "image", image, 2);
  if (image.dim(0) == 0)
    throw ShapeError("contrastive_loss: image is ", image.shape(), "; expected at least one pair");
  expect_shape("contrastive_loss", "text", text, image.shape(), "because image is that");
  expect_shape("contrastive_loss", "log_scale", log_scale, {});
  expect_same_kind("contrastive_loss", "text", text, "image", image);
  // On a device the scale may be f32 beside pairs in bf16.
  if (image.device().kind == DeviceKind::cpu || log_scale.dtype() != DType::f32)
    expect_same_kind("contrastive_loss", "log_scale", log_scale, "image", image);
  expect_same_device("contrastive_loss", "log_scale", log_scale, "image", image);
  if (chunk < 1) throw ValueError("contrastive_loss: chunk is ", chunk, "; expected 1 row or more");
}

// body(pairs, scratch) with the pairs as kernels take them.
template <class T, class Body>
void with_device_pairs(const Tensor& image, const Tensor& text, const Tensor& log_scale, int64_t chunk,
                       const Body& body) {
  const int64_t n = image.dim(0), d = image.dim(1);
  Tensor scratch = empty({cuda::contrastive_scratch_size<T>(n, d, chunk)}, DType::f32, image.device());
  const auto run = [&]<class S>(S) {
    body(cuda::ContrastivePairs<T, S>{image.device_data<T>(), text.device_data<T>(),
                                      log_scale.device_data<S>(), n, d, chunk},
         scratch.mutable_device_data<float>());
  };
  if (log_scale.dtype() == DType::f32)
    run(float{});
  else
    run(T{});
}

cuda::ContrastiveResults results_on_device(ContrastiveOutput& output) {
  return {output.loss.mutable_device_data<float>(), output.image_to_text.mutable_device_data<float>(),
          output.text_to_image.mutable_device_data<float>(), output.row_lse.mutable_device_data<float>(),
          output.column_lse.mutable_device_data<float>()};
}

}  // namespace

ContrastiveOutput contrastive_loss_forward(const Tensor& image, const Tensor& text, const Tensor& log_scale,
                                           int64_t chunk) {
  expect_arguments(image, text, log_scale, chunk);
  const Tensor images = contiguous(image), texts = contiguous(text);
  const bool on_cpu = image.device().kind == DeviceKind::cpu;
  const auto vector_of = [&](const Shape& shape) {
    return empty(shape, on_cpu ? image.dtype() : DType::f32, image.device());
  };
  const int64_t n = image.dim(0);
  ContrastiveOutput output{vector_of({}), vector_of({}), vector_of({}), vector_of({n}), vector_of({n})};
  dispatch(
      "contrastive_loss", images,
      [&]<class T>(OnCpu<T>) { forward_cpu(pairs_of<T>(images, texts, log_scale), chunk, output); },
      [&]<class T>(OnCuda<T> on) {
        with_device_pairs<T>(images, texts, log_scale, chunk, [&](const auto& pairs, float* scratch) {
          cuda::contrastive_loss_forward(on.stream, pairs, scratch, results_on_device(output));
        });
      });
  return output;
}

ContrastiveGradients contrastive_loss_backward(const Tensor& image, const Tensor& text,
                                               const Tensor& log_scale, const Tensor& row_lse,
                                               const Tensor& column_lse, const Tensor& dloss, int64_t chunk) {
  expect_arguments(image, text, log_scale, chunk);
  expect_shape("contrastive_loss backward", "dloss", dloss, {});
  const Tensor images = contiguous(image), texts = contiguous(text);
  ContrastiveGradients gradients{empty_like(images), empty_like(texts), empty_like(log_scale)};
  dispatch(
      "contrastive_loss backward", images,
      [&]<class T>(OnCpu<T>) {
        backward_cpu(pairs_of<T>(images, texts, log_scale), row_lse.data<T>(), column_lse.data<T>(),
                     *dloss.data<T>(), chunk, gradients);
      },
      [&]<class T>(OnCuda<T> on) {
        with_device_pairs<T>(images, texts, log_scale, chunk,
                             [&]<class S>(const cuda::ContrastivePairs<T, S>& pairs, float* scratch) {
                               const cuda::ContrastiveGradientResults<T, S> results{
                                   gradients.dimage.mutable_device_data<T>(),
                                   gradients.dtext.mutable_device_data<T>(),
                                   gradients.dlog_scale.mutable_device_data<S>()};
                               cuda::contrastive_loss_backward(on.stream, pairs, row_lse.device_data<float>(),
                                                               column_lse.device_data<float>(),
                                                               dloss.device_data<float>(), scratch, results);
                             });
      });
  return gradients;
}

Var contrastive_loss(const Var& image, const Var& text, const Var& log_scale, int64_t chunk) {
  const ContrastiveOutput output =
      contrastive_loss_forward(image.value(), text.value(), log_scale.value(), chunk);
  return record(
      "contrastive_loss", output.loss, {image, text, log_scale},
      [image = save(image.value(), "image"), text = save(text.value(), "text"),
       log_scale = save(log_scale.value(), "log_scale"), row_lse = save(output.row_lse, "row_lse"),
       column_lse = save(output.column_lse, "column_lse"), chunk](const Tensor& dloss, InputGradients& d) {
        const ContrastiveGradients gradients = contrastive_loss_backward(
            image.get(), text.get(), log_scale.get(), row_lse.get(), column_lse.get(), dloss, chunk);
        d.set(0, gradients.dimage);
        d.set(1, gradients.dtext);
        d.set(2, gradients.dlog_scale);
      });
}

}  // namespace limoe
