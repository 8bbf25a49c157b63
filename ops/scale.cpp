#include "ops/scale.h"

#include "autograd/record.h"
#include "cuda/scale.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {

Tensor scale_forward(const Tensor& x, double factor) {
  expect_floating("scale", "x", x);
  const Tensor in = contiguous(x);
  Tensor y = empty_like(in);
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const T* const from = in.data<T>();
    T* const to = y.mutable_data<T>();
    parallel_for(in.element_count(), kElementsPerRun, [=](int64_t begin, int64_t end) {
      as_row(to + begin, end - begin) = as_row(from + begin, end - begin) * T(factor);
    });
  };
  dispatch("scale", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::scale_forward(on.stream, in.device_data<T>(), float(factor), y.mutable_device_data<T>(),
                        in.element_count());
  });
  return y;
}

Var scale(const Var& x, double factor) {
  return record("scale", scale_forward(x.value(), factor), {x},
                [factor](const Tensor& dy, InputGradients& d) { d.set(0, scale_forward(dy, factor)); });
}

}  // namespace limoe
