#include "ops/exp.h"

#include <algorithm>
#include <cmath>

#include "autograd/record.h"
#include "cuda/exp.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/mul.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {

Tensor exp_forward(const Tensor& x) {
  expect_floating("exp", "x", x);
  const Tensor in = contiguous(x);
  Tensor y = empty_like(in);
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const T* const from = in.data<T>();
    T* const to = y.mutable_data<T>();
    // The library's: a vectorised one ends above 0 and below infinity, and this op is for a number or two.
    parallel_for(in.element_count(), kElementsPerRun, [=](int64_t begin, int64_t end) {
      std::transform(from + begin, from + end, to + begin, [](T value) { return std::exp(value); });
    });
  };
  dispatch("exp", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::exp_forward(on.stream, in.device_data<T>(), y.mutable_device_data<T>(), in.element_count());
  });
  return y;
}

Var exp(const Var& x) {
  const Tensor y = exp_forward(x.value());
  return record("exp", y, {x}, [y = save(y, "y")](const Tensor& dy, InputGradients& d) {
    d.set(0, mul_forward(dy, y.get()));
  });
}

}  // namespace limoe
