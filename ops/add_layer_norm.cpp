#include "ops/add_layer_norm.h"

#include "autograd/record.h"
#include "cuda/layer_norm.h"
#include "ops/dispatch.h"
#include "ops/layer_norm_arguments.h"
#include "ops/layer_norm_rows.h"
#include "ops/statistics_dtype.h"
#include "tensor/factory.h"

namespace limoe {
AddLayerNormOutput add_layer_norm_forward(const Tensor& x, const Tensor& addend, const Tensor& scale,
                                          const Tensor& bias, double epsilon) {
  expect_layer_norm_arguments("add_layer_norm", x, scale, bias, epsilon);
  expect_shape("add_layer_norm", "addend", addend, x.shape(), "because x is that");
  expect_same_kind("add_layer_norm", "addend", addend, "x", x);
  const Tensor in = contiguous(x), added = contiguous(addend);
  const Tensor factors = contiguous(scale), offsets = contiguous(bias);
  const Rows rows = fold_leading_axes(in.shape());
  const DType statistics = statistics_dtype(x.dtype());
  AddLayerNormOutput output{empty_like(in),
                            {empty_like(in), empty({rows.count}, statistics, x.device()),
                             empty({rows.count}, statistics, x.device())}};
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    layer_norm_rows<T>({.x = in.data<T>(),
                        .scale = factors.data<T>(),
                        .bias = offsets.data<T>(),
                        .epsilon = T(epsilon),
                        .y = output.norm.y.mutable_data<T>(),
                        .mean = output.norm.mean.mutable_data<T>(),
                        .rstd = output.norm.rstd.mutable_data<T>(),
                        .addend = added.data<T>(),
                        .sum = output.sum.mutable_data<T>()},
                       rows);
  };
  dispatch("add_layer_norm", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    const cuda::LayerNormForward<T> of{.x = in.device_data<T>(),
                                       .scale = factors.device_data<T>(),
                                       .bias = offsets.device_data<T>(),
                                       .y = output.norm.y.mutable_device_data<T>(),
                                       .mean = output.norm.mean.mutable_device_data<float>(),
                                       .rstd = output.norm.rstd.mutable_device_data<float>(),
                                       .addend = added.device_data<T>(),
                                       .sum = output.sum.mutable_device_data<T>()};
    cuda::layer_norm_forward(on.stream, of, float(epsilon), rows);
  });
  return output;
}

LayerNormGradients add_layer_norm_backward(const AddLayerNormOutput& output, const Tensor& scale,
                                           const Tensor& dsum, const Tensor& dy) {
  if (!dsum.defined()) return layer_norm_backward(output.sum, scale, output.norm.mean, output.norm.rstd, dy);
  expect_shape("add_layer_norm backward", "dy", dy, output.sum.shape(), "because the sum is that");
  expect_shape("add_layer_norm backward", "dsum", dsum, output.sum.shape(), "because the sum is that");
  const Tensor factors = contiguous(scale), gradient = contiguous(dy), past = contiguous(dsum);
  const Rows rows = fold_leading_axes(output.sum.shape());
  Tensor dx = empty_like(output.sum), sums = empty({2 * rows.width}, dy.dtype(), dy.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    layer_norm_rows_backward<T>({.x = output.sum.data<T>(),
                                 .scale = factors.data<T>(),
                                 .mean = output.norm.mean.data<T>(),
                                 .rstd = output.norm.rstd.data<T>(),
                                 .dy = gradient.data<T>(),
                                 .dx = dx.mutable_data<T>(),
                                 .dsum = past.data<T>()},
                                sums.mutable_data<T>(), rows);
  };
  dispatch("add_layer_norm backward", output.sum, on_cpu, [&]<class T>(OnCuda<T> on) {
    Tensor partials = empty({cuda::layer_norm_partial_rows(rows), 2 * rows.width}, DType::f32, dy.device());
    const cuda::LayerNormBackward<T> of{.x = output.sum.device_data<T>(),
                                        .scale = factors.device_data<T>(),
                                        .mean = output.norm.mean.device_data<float>(),
                                        .rstd = output.norm.rstd.device_data<float>(),
                                        .dy = gradient.device_data<T>(),
                                        .dx = dx.mutable_device_data<T>(),
                                        .dparameters = sums.mutable_device_data<T>(),
                                        .partials = partials.mutable_device_data<float>(),
                                        .dsum = past.device_data<T>()};
    cuda::layer_norm_backward(on.stream, of, rows);
  });
  return {dx, sums.slice(0, 0, rows.width), sums.slice(0, rows.width, 2 * rows.width)};
}

std::vector<Var> add_layer_norm(const Var& x, const Var& addend, const Var& scale, const Var& bias,
                                double epsilon) {
  const AddLayerNormOutput output =
      add_layer_norm_forward(x.value(), addend.value(), scale.value(), bias.value(), epsilon);
  std::vector<Var> outputs =
      record_many("add_layer_norm", {output.sum, output.norm.y}, {x, addend, scale, bias},
                  [sum = save(output.sum, "sum"), scale = save(scale.value(), "scale"),
                   mean = save(output.norm.mean, "mean"),
                   rstd = save(output.norm.rstd, "rstd")](std::span<const Tensor> dys, InputGradients& d) {
                    if (!dys[1].defined()) {  // the norm is not used: the add alone
                      d.set(0, dys[0]);
                      d.set(1, dys[0]);
                      return;
                    }
                    const LayerNormGradients gradients = add_layer_norm_backward(
                        {sum.get(), {{}, mean.get(), rstd.get()}}, scale.get(), dys[0], dys[1]);
                    d.set(0, gradients.dx);
                    d.set(1, gradients.dx);
                    d.set(2, gradients.dscale);
                    d.set(3, gradients.dbias);
                  });
  outputs[1] = rematerialized(outputs[1], layer_norm_again(output.sum, scale.value(), bias.value(), epsilon));
  return outputs;
}

}  // namespace limoe
