#include "ops/mul.h"

#include "autograd/record.h"
#include "cuda/mul.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {

Tensor mul_forward(const Tensor& a, const Tensor& b) {
  expect_floating("mul", "a", a);
  expect_shape("mul", "b", b, a.shape(), "because a is that");
  expect_same_kind("mul", "b", b, "a", a);
  const Tensor left = contiguous(a), right = contiguous(b);
  Tensor y = empty_like(left);
  const int64_t count = left.element_count();
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const T *in_a = left.data<T>(), *in_b = right.data<T>();
    T* out = y.mutable_data<T>();
    parallel_for(count, kElementsPerRun, [=](int64_t begin, int64_t end) {
      as_row(out + begin, end - begin) =
          as_row(in_a + begin, end - begin) * as_row(in_b + begin, end - begin);
    });
  };
  dispatch("mul", left, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::mul_forward(on.stream, left.device_data<T>(), right.device_data<T>(), y.mutable_device_data<T>(),
                      count);
  });
  return y;
}

Var mul(const Var& a, const Var& b) {
  return record("mul", mul_forward(a.value(), b.value()), {a, b},
                [a = save(a.value(), "a"), b = save(b.value(), "b")](const Tensor& dy, InputGradients& d) {
                  if (d.wanted(0)) d.set(0, mul_forward(dy, b.get()));  // da = dy * b
                  if (d.wanted(1)) d.set(1, mul_forward(dy, a.get()));  // db = dy * a
                });
}

}  // namespace limoe
