#include "ops/add.h"

#include "autograd/record.h"
#include "cuda/add.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {

Tensor add_forward(const Tensor& a, const Tensor& b) {
  expect_floating("add", "a", a);
  expect_shape("add", "b", b, a.shape(), "because a is that");
  expect_same_kind("add", "b", b, "a", a);
  const Tensor left = contiguous(a), right = contiguous(b);
  Tensor y = empty_like(left);
  const int64_t count = left.element_count();
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const T *in_a = left.data<T>(), *in_b = right.data<T>();
    T* out = y.mutable_data<T>();
    parallel_for(count, kElementsPerRun, [=](int64_t begin, int64_t end) {
      as_row(out + begin, end - begin) =
          as_row(in_a + begin, end - begin) + as_row(in_b + begin, end - begin);
    });
  };
  dispatch("add", left, on_cpu, [&]<class T>(OnCuda<T> on) {
    cuda::add_forward(on.stream, left.device_data<T>(), right.device_data<T>(), y.mutable_device_data<T>(),
                      count);
  });
  return y;
}

Var add(const Var& a, const Var& b) {
  return record("add", add_forward(a.value(), b.value()), {a, b}, [](const Tensor& dy, InputGradients& d) {
    d.set(0, dy);
    d.set(1, dy);
  });
}

}  // namespace limoe
