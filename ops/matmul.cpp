#include "ops/matmul.h"

#include "autograd/record.h"
#include "ops/check.h"
#include "ops/device_gemm.h"
#include "ops/dispatch.h"
#include "ops/gemm.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

struct Sizes {
  int64_t batch, m, n, k;
};

template <class T>
void forward_cpu(const T* a, const T* b, T* c, Sizes sizes, Transposed transposed) {
  const int64_t m = sizes.m, n = sizes.n, k = sizes.k;
  const GemmOperand<T> left{a, transposed.a ? m : k, transposed.a};
  const GemmOperand<T> right{b, transposed.b ? k : n, transposed.b};
  if (sizes.batch == 1) return gemm(m, n, k, left, right, T(0), c, n);
  parallel_for(sizes.batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      GemmOperand<T> my_left = left, my_right = right;
      my_left.data += i * m * k;
      my_right.data += i * k * n;
      gemm_on_this_thread(m, n, k, my_left, my_right, T(0), c + i * m * n, n);
    }
  });
}

int64_t leading_size(const Shape& shape) {
  return shape.without_last().without_last().element_count();
}

Var record_product(const char* op, const Var& a, const Var& b) {
  return record(op, matmul_forward(a.value(), b.value()), {a, b},
                [a = save(a.value(), "a"), b = save(b.value(), "b")](const Tensor& dc, InputGradients& d) {
                  if (d.wanted(0)) d.set(0, matmul_forward(dc, b.get(), {.b = true}));
                  if (d.wanted(1)) d.set(1, matmul_forward(a.get(), dc, {.a = true}));
                });
}

}  // namespace

Tensor matmul_forward(const Tensor& a, const Tensor& b, Transposed transposed) {
  expect_floating("matmul", "a", a);
  expect_same_kind("matmul", "b", b, "a", a);
  expect_rank_at_least("matmul", "a", a, 2);
  const int64_t m = a.dim(transposed.a ? -1 : -2), k = a.dim(transposed.a ? -2 : -1);
  const int64_t n = b.rank() >= 2 ? b.dim(transposed.b ? -2 : -1) : 0;
  const Shape wanted = a.shape().with(-2, transposed.b ? n : k).with(-1, transposed.b ? k : n);
  expect_rank("matmul", "b", b, a.rank());
  expect_shape("matmul", "b", b, wanted, "because a is ", a.shape(), transposed.a ? ", transposed" : "");
  const Tensor left = contiguous(a), right = contiguous(b);
  Tensor c = empty(a.shape().with(-2, m).with(-1, n), a.dtype(), a.device());
  const int64_t batch = leading_size(a.shape());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    forward_cpu(left.data<T>(), right.data<T>(), c.mutable_data<T>(), {batch, m, n, k}, transposed);
  };
  dispatch("matmul", left, on_cpu, [&]<class T>(OnCuda<T> on) {
    device_gemm<T>(on, c.device(), {m, n, k, batch},
                   {left.device_data<T>(), transposed.a ? m : k, transposed.a, m * k},
                   {right.device_data<T>(), transposed.b ? k : n, transposed.b, k * n},
                   {c.mutable_device_data<T>(), n, 0, m * n});
  });
  return c;
}

Var matmul(const Var& a, const Var& b) {
  expect_rank("matmul", "a", a.value(), 2);
  return record_product("matmul", a, b);
}

Var batched_matmul(const Var& a, const Var& b) {
  return record_product("batched_matmul", a, b);
}

}  // namespace limoe
