#include "ops/mean_pool.h"

#include "autograd/record.h"
#include "cuda/mean_pool.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

struct Validity {
  const int32_t* of_token;  // null: every token is valid
  bool operator()(int64_t token) const { return !of_token || of_token[token] != 0; }
  int64_t count(SequenceRange range) const {
    int64_t valid = 0;
    for (int64_t i = 0; i < range.length; ++i) valid += (*this)(range.first + i);
    return valid;
  }
};

template <class T>
void forward_cpu(const T* x, Validity valid, const std::vector<SequenceRange>& ranges, T* y, int64_t width) {
  parallel_for(int64_t(ranges.size()), 8, [&](int64_t begin, int64_t end) {
    for (int64_t sequence = begin; sequence < end; ++sequence) {
      const SequenceRange range = ranges[size_t(sequence)];
      auto mean = as_row(y + sequence * width, width);
      mean.setZero();
      for (int64_t token = range.first; token < range.first + range.length; ++token)
        if (valid(token)) mean += as_row(x + token * width, width);
      if (const int64_t count = valid.count(range)) mean /= T(count);
    }
  });
}

template <class T>
void backward_cpu(const T* dy, Validity valid, const std::vector<SequenceRange>& ranges, T* dx,
                  int64_t width) {
  parallel_for(int64_t(ranges.size()), 8, [&](int64_t begin, int64_t end) {
    for (int64_t sequence = begin; sequence < end; ++sequence) {
      const SequenceRange range = ranges[size_t(sequence)];
      const int64_t count = valid.count(range);
      for (int64_t token = range.first; token < range.first + range.length; ++token) {
        auto gradient = as_row(dx + token * width, width);
        if (valid(token))
          gradient = as_row(dy + sequence * width, width) / T(count);
        else
          gradient.setZero();
      }
    }
  });
}

Validity validity_of(const Tensor& valid) {
  return {valid.defined() ? valid.data<int32_t>() : nullptr};
}
const int32_t* device_validity_of(const Tensor& valid) {
  return valid.defined() ? valid.device_data<int32_t>() : nullptr;
}

}  // namespace

Tensor mean_pool_forward(const Tensor& x, const Tensor& valid, const Sequences& sequences) {
  expect_floating("mean_pool", "x", x);
  expect_rank("mean_pool", "x", x, 2);
  expect_sequences("mean_pool", "x", x, sequences);
  if (valid.defined()) {
    expect_dtype("mean_pool", "valid", valid, DType::i32);
    expect_shape("mean_pool", "valid", valid, {x.dim(0)}, "because x is ", x.shape());
    expect_same_device("mean_pool", "valid", valid, "x", x);
  }
  const Tensor in = contiguous(x), mask = valid.defined() ? contiguous(valid) : valid;
  Tensor y = empty({sequence_count(sequences), x.dim(1)}, x.dtype(), x.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    forward_cpu(in.data<T>(), validity_of(mask), sequence_ranges(sequences), y.mutable_data<T>(), x.dim(1));
  };
  dispatch("mean_pool", in, on_cpu, [&]<class T>(OnCuda<T> on) {
    const std::vector<cuda::TokenRun> runs = token_runs(sequences);
    cuda::mean_pool_forward(on.stream, in.device_data<T>(), device_validity_of(mask),
                            y.mutable_device_data<T>(), x.dim(1), runs.data(), int(runs.size()));
  });
  return y;
}

Tensor mean_pool_backward(const Tensor& valid, const Sequences& sequences, const Tensor& dy) {
  expect_rank("mean_pool backward", "dy", dy, 2);
  expect_dim("mean_pool backward", "dy", dy, 0, sequence_count(sequences),
             "because there are that many sequences");
  const Tensor gradient = contiguous(dy), mask = valid.defined() ? contiguous(valid) : valid;
  Tensor dx = empty({token_count(sequences), dy.dim(1)}, dy.dtype(), dy.device());
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    backward_cpu(gradient.data<T>(), validity_of(mask), sequence_ranges(sequences), dx.mutable_data<T>(),
                 dy.dim(1));
  };
  dispatch("mean_pool backward", gradient, on_cpu, [&]<class T>(OnCuda<T> on) {
    const std::vector<cuda::TokenRun> runs = token_runs(sequences);
    cuda::mean_pool_backward(on.stream, device_validity_of(mask), gradient.device_data<T>(),
                             dx.mutable_device_data<T>(), dy.dim(1), runs.data(), int(runs.size()));
  });
  return dx;
}

Var mean_pool(const Var& x, const Tensor& valid, const Sequences& sequences) {
  return record("mean_pool", mean_pool_forward(x.value(), valid, sequences), {x},
                [valid = save(valid, "valid"), sequences](const Tensor& dy, InputGradients& d) {
                  d.set(0, mean_pool_backward(valid.get(), sequences, dy));
                });
}

}  // namespace limoe
