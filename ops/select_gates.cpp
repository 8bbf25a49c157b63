#include "ops/select_gates.h"

#include "autograd/record.h"
#include "cuda/select_gates.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

using Sizes = cuda::GateSizes;

template <class T>
void forward_cpu(const T* probs, const int32_t* expert_of, T* y, Sizes sizes) {
  parallel_for(sizes.tokens, rows_per_run(sizes.experts), [=](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token)
      for (int64_t k = 0; k < sizes.choices; ++k) {
        const int64_t choice = token * sizes.choices + k;
        const int32_t expert = expert_of[choice];
        y[choice] = expert < 0 ? T(0) : probs[token * sizes.experts + expert];
      }
  });
}

template <class T>
void backward_cpu(const int32_t* expert_of, const T* dy, T* dprobs, Sizes sizes) {
  parallel_for(sizes.tokens, rows_per_run(sizes.experts), [=](int64_t begin, int64_t end) {
    for (int64_t token = begin; token < end; ++token) {
      T* const gradient = dprobs + token * sizes.experts;
      as_row(gradient, sizes.experts).setZero();
      for (int64_t k = 0; k < sizes.choices; ++k) {
        const int64_t choice = token * sizes.choices + k;
        if (expert_of[choice] >= 0) gradient[expert_of[choice]] += dy[choice];
      }
    }
  });
}

// On a device nobody waits to look: there the kernels take an index out of range for -1.
void expect_experts(const char* op, const Tensor& expert_of, int64_t experts) {
  if (expert_of.device().kind != DeviceKind::cpu) return;
  const int32_t* const expert = expert_of.data<int32_t>();
  const int64_t choices = expert_of.dim(1);
  for (int64_t choice = 0; choice < expert_of.element_count(); ++choice)
    if (expert[choice] < -1 || expert[choice] >= experts)
      throw ValueError(op, ": expert_of holds ", expert[choice], " at [", choice / choices, ", ",
                       choice % choices, "]; expected -1..", experts - 1);
}

}  // namespace

Tensor select_gates_forward(const Tensor& probs, const Tensor& expert_of) {
  expect_floating("select_gates", "probs", probs);
  expect_rank("select_gates", "probs", probs, 2);
  expect_dtype("select_gates", "expert_of", expert_of, DType::i32);
  expect_rank("select_gates", "expert_of", expert_of, 2);
  expect_dim("select_gates", "expert_of", expert_of, 0, probs.dim(0), "because probs is ", probs.shape());
  expect_same_device("select_gates", "expert_of", expert_of, "probs", probs);
  const Tensor in = contiguous(probs), experts = contiguous(expert_of);
  expect_experts("select_gates", experts, probs.dim(1));
  Tensor y = empty(expert_of.shape(), probs.dtype(), probs.device());
  const Sizes sizes{in.dim(0), in.dim(1), experts.dim(1)};
  dispatch(
      "select_gates", in,
      [&]<class T>(OnCpu<T>) {
        forward_cpu(in.data<T>(), experts.data<int32_t>(), y.mutable_data<T>(), sizes);
      },
      [&]<class T>(OnCuda<T> on) {
        cuda::select_gates_forward(on.stream, in.device_data<T>(), experts.device_data<int32_t>(),
                                   y.mutable_device_data<T>(), sizes);
      });
  return y;
}

Tensor select_gates_backward(const Tensor& expert_of, int64_t experts, const Tensor& dy) {
  expect_shape("select_gates backward", "dy", dy, expert_of.shape(), "because expert_of is that");
  const Tensor chosen = contiguous(expert_of), gradient = contiguous(dy);
  expect_experts("select_gates backward", chosen, experts);
  Tensor dprobs = empty({dy.dim(0), experts}, dy.dtype(), dy.device());
  const Sizes sizes{dy.dim(0), experts, dy.dim(1)};
  dispatch(
      "select_gates backward", gradient,
      [&]<class T>(OnCpu<T>) {
        backward_cpu(chosen.data<int32_t>(), gradient.data<T>(), dprobs.mutable_data<T>(), sizes);
      },
      [&]<class T>(OnCuda<T> on) {
        cuda::select_gates_backward(on.stream, chosen.device_data<int32_t>(), gradient.device_data<T>(),
                                    dprobs.mutable_device_data<T>(), sizes);
      });
  return dprobs;
}

Var select_gates(const Var& probs, const Tensor& expert_of) {
  return record("select_gates", select_gates_forward(probs.value(), expert_of), {probs},
                [expert_of = save(expert_of, "expert_of"), experts = probs.dim(1)](const Tensor& dy,
                                                                                   InputGradients& d) {
                  d.set(0, select_gates_backward(expert_of.get(), experts, dy));
                });
}

}  // namespace limoe
