#include "ops/sum.h"

#include "autograd/record.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/row_sums.h"
#include "tensor/factory.h"

namespace limoe {

Tensor sum_forward(const Tensor& x) {
  expect_floating("sum", "x", x);
  const Tensor in = contiguous(x);
  Tensor y = empty({}, x.dtype(), x.device());
  dispatch("sum", in, [&]<class T>(OnCpu<T>) {
    const T* const from = in.data<T>();
    sum_over_rows(in.element_count(), 1, y.mutable_data<T>(), [=](int64_t begin, int64_t end, T* partial) {
      *partial += as_row(from + begin, end - begin).sum();
    });
  });
  return y;
}

Var sum(const Var& x) {
  return record("sum", sum_forward(x.value()), {x}, [shape = x.shape()](const Tensor& dy, InputGradients& d) {
    d.set(0, full(shape, item(dy), dy.dtype(), dy.device()));
  });
}

}  // namespace limoe
