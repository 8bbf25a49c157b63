#include "ops/attention.h"

#include "autograd/record.h"
#include "cuda/attention.h"
#include "ops/attention_heads.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/statistics_dtype.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

using detail::AttentionHeads;

AttentionHeads expect_arguments(const Tensor& qkv, const Tensor& key_valid, int64_t heads,
                                const Sequences& sequences) {
  expect_floating("attention", "qkv", qkv);
  expect_rank("attention", "qkv", qkv, 2);
  if (heads < 1) throw ValueError("attention: heads is ", heads, "; expected 1 or more");
  if (qkv.dim(1) == 0 || qkv.dim(1) % (3 * heads) != 0)
    throw ShapeError("attention: qkv is ", qkv.shape(), "; expected [N, a multiple of ", 3 * heads,
                     "] because there are ", heads, " heads of q, k and v");
  expect_sequences("attention", "qkv", qkv, sequences);
  if (key_valid.defined()) {
    expect_dtype("attention", "key_valid", key_valid, DType::i32);
    expect_shape("attention", "key_valid", key_valid, {qkv.dim(0)}, "because qkv is ", qkv.shape());
    expect_same_device("attention", "key_valid", key_valid, "qkv", qkv);
  }
  const AttentionHeads sizes{heads, qkv.dim(1) / (3 * heads)};
  if (qkv.device().kind != DeviceKind::cpu && sizes.width > cuda::kWidestHead)
    throw ShapeError("attention: qkv is ", qkv.shape(), ", which makes heads ", sizes.width,
                     " columns wide; expected at most ", cuda::kWidestHead, " on ", qkv.device());
  return sizes;
}

const int32_t* device_mask(const Tensor& valid) {
  return valid.defined() ? valid.device_data<int32_t>() : nullptr;
}

}  // namespace

AttentionOutput attention_forward(const Tensor& qkv, const Tensor& key_valid, int64_t heads,
                                  const Sequences& sequences) {
  const AttentionHeads sizes = expect_arguments(qkv, key_valid, heads, sequences);
  const Tensor in = contiguous(qkv), valid = key_valid.defined() ? contiguous(key_valid) : key_valid;
  AttentionOutput output{empty({qkv.dim(0), sizes.columns()}, qkv.dtype(), qkv.device()),
                         empty({qkv.dim(0), heads}, statistics_dtype(qkv.dtype()), qkv.device())};
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const detail::AttentionForwardOnCpu<T> work{
        in.data<T>(), valid.defined() ? valid.data<int32_t>() : nullptr, output.y.mutable_data<T>(),
        output.lse.mutable_data<T>(), sizes};
    detail::for_each_head<T>(work, sequences);
  };
  dispatch("attention", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    const std::vector<cuda::TokenRun> runs = token_runs(sequences);
    const cuda::AttentionForward<T> of{.qkv = in.device_data<T>(),
                                       .key_valid = device_mask(valid),
                                       .y = output.y.mutable_device_data<T>(),
                                       .lse = output.lse.mutable_device_data<float>()};
    cuda::attention_forward(on.stream, of, {heads, sizes.width, runs.data(), int(runs.size())});
  });
  return output;
}

Tensor attention_backward(const Tensor& qkv, const Tensor& key_valid, const AttentionOutput& output,
                          const Sequences& sequences, const Tensor& dy) {
  const int64_t heads = output.lse.dim(1);
  const AttentionHeads sizes = expect_arguments(qkv, key_valid, heads, sequences);
  expect_shape("attention backward", "dy", dy, output.y.shape(), "because y is that");
  const Tensor in = contiguous(qkv), valid = key_valid.defined() ? contiguous(key_valid) : key_valid;
  const Tensor gradient = contiguous(dy);
  Tensor dqkv = empty_like(in);
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const detail::AttentionBackwardOnCpu<T> work{
        in.data<T>(),           valid.defined() ? valid.data<int32_t>() : nullptr,
        output.lse.data<T>(),   gradient.data<T>(),
        dqkv.mutable_data<T>(), sizes};
    detail::for_each_head<T>(work, sequences);
  };
  dispatch("attention backward", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    const std::vector<cuda::TokenRun> runs = token_runs(sequences);
    Tensor deltas = empty(output.lse.shape(), DType::f32, qkv.device());
    const cuda::AttentionBackward<T> of{.qkv = in.device_data<T>(),
                                        .key_valid = device_mask(valid),
                                        .y = output.y.device_data<T>(),
                                        .lse = output.lse.device_data<float>(),
                                        .dy = gradient.device_data<T>(),
                                        .deltas = deltas.mutable_device_data<float>(),
                                        .dqkv = dqkv.mutable_device_data<T>()};
    cuda::attention_backward(on.stream, of, {heads, sizes.width, runs.data(), int(runs.size())});
  });
  return dqkv;
}

Var attention(const Var& qkv, const Tensor& key_valid, int64_t heads, const Sequences& sequences) {
  const AttentionOutput output = attention_forward(qkv.value(), key_valid, heads, sequences);
  return record(
      "attention", output.y, {qkv},
      [qkv = save(qkv.value(), "qkv"), key_valid = save(key_valid, "key_valid"), y = save(output.y, "y"),
       lse = save(output.lse, "lse"), sequences](const Tensor& dy, InputGradients& d) {
        d.set(0, attention_backward(qkv.get(), key_valid.get(), {y.get(), lse.get()}, sequences, dy));
      });
}

}  // namespace limoe
