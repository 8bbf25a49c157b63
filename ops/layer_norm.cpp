#include "ops/layer_norm.h"

#include "autograd/record.h"
#include "cuda/layer_norm.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/layer_norm_arguments.h"
#include "ops/layer_norm_rows.h"
#include "ops/statistics_dtype.h"
#include "tensor/factory.h"

namespace limoe {

LayerNormOutput layer_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& bias, double epsilon) {
  expect_layer_norm_arguments("layer_norm", x, scale, bias, epsilon);
  const Tensor in = contiguous(x), factors = contiguous(scale), offsets = contiguous(bias);
  const Rows rows = fold_leading_axes(in.shape());
  const DType statistics = statistics_dtype(x.dtype());
  LayerNormOutput output{empty_like(in), empty({rows.count}, statistics, x.device()),
                         empty({rows.count}, statistics, x.device())};
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    layer_norm_rows<T>({.x = in.data<T>(),
                        .scale = factors.data<T>(),
                        .bias = offsets.data<T>(),
                        .epsilon = T(epsilon),
                        .y = output.y.mutable_data<T>(),
                        .mean = output.mean.mutable_data<T>(),
                        .rstd = output.rstd.mutable_data<T>()},
                       rows);
  };
  dispatch("layer_norm", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    const cuda::LayerNormForward<T> of{.x = in.device_data<T>(),
                                       .scale = factors.device_data<T>(),
                                       .bias = offsets.device_data<T>(),
                                       .y = output.y.mutable_device_data<T>(),
                                       .mean = output.mean.mutable_device_data<float>(),
                                       .rstd = output.rstd.mutable_device_data<float>()};
    cuda::layer_norm_forward(on.stream, of, float(epsilon), rows);
  });
  return output;
}

LayerNormGradients layer_norm_backward(const Tensor& x, const Tensor& scale, const Tensor& mean,
                                       const Tensor& rstd, const Tensor& dy) {
  expect_shape("layer_norm backward", "dy", dy, x.shape(), "because x is that");
  const Tensor in = contiguous(x), factors = contiguous(scale), gradient = contiguous(dy);
  const Rows rows = fold_leading_axes(in.shape());
  Tensor dx = empty_like(in), sums = empty({2 * rows.width}, x.dtype(), x.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    layer_norm_rows_backward<T>({.x = in.data<T>(),
                                 .scale = factors.data<T>(),
                                 .mean = mean.data<T>(),
                                 .rstd = rstd.data<T>(),
                                 .dy = gradient.data<T>(),
                                 .dx = dx.mutable_data<T>()},
                                sums.mutable_data<T>(), rows);
  };
  dispatch("layer_norm backward", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    Tensor partials = empty({cuda::layer_norm_partial_rows(rows), 2 * rows.width}, DType::f32, x.device());
    const cuda::LayerNormBackward<T> of{.x = in.device_data<T>(),
                                        .scale = factors.device_data<T>(),
                                        .mean = mean.device_data<float>(),
                                        .rstd = rstd.device_data<float>(),
                                        .dy = gradient.device_data<T>(),
                                        .dx = dx.mutable_device_data<T>(),
                                        .dparameters = sums.mutable_device_data<T>(),
                                        .partials = partials.mutable_device_data<float>()};
    cuda::layer_norm_backward(on.stream, of, rows);
  });
  return {dx, sums.slice(0, 0, rows.width), sums.slice(0, rows.width, 2 * rows.width)};
}

std::function<Tensor()> layer_norm_again(const Tensor& x, const Tensor& scale, const Tensor& bias,
                                         double epsilon) {
  return [x = save(x, "x"), scale = save(scale, "scale"), bias = save(bias, "bias"), epsilon] {
    return layer_norm_forward(x.get(), scale.get(), bias.get(), epsilon).y;
  };
}

Var layer_norm(const Var& x, const Var& scale, const Var& bias, double epsilon) {
  const LayerNormOutput output = layer_norm_forward(x.value(), scale.value(), bias.value(), epsilon);
  const Var y = record(
      "layer_norm", output.y, {x, scale, bias},
      [x = save(x.value(), "x"), scale = save(scale.value(), "scale"), mean = save(output.mean, "mean"),
       rstd = save(output.rstd, "rstd")](const Tensor& dy, InputGradients& d) {
        const LayerNormGradients gradients =
            layer_norm_backward(x.get(), scale.get(), mean.get(), rstd.get(), dy);
        d.set(0, gradients.dx);
        d.set(1, gradients.dscale);
        d.set(2, gradients.dbias);
      });
  return rematerialized(y, layer_norm_again(x.value(), scale.value(), bias.value(), epsilon));
}

}  // namespace limoe
