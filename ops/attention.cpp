#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "cuda/attention.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/small_gemm.h"
#include "ops/statistics_dtype.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

struct Heads {
  int64_t count, width;  // width: columns of one head
  int64_t columns() const { return count * width; }
  int64_t qkv_stride() const { return 3 * columns(); }
  double score_scale() const { return 1 / std::sqrt(double(width)); }
};

// Rows of scores are padded to whole vector registers, so that exp() meets no tail.
constexpr int64_t kPadding = 16;
int64_t padded(int64_t length) {
  return run_count(length, kPadding) * kPadding;
}

// exp() of less is taken as exp() of this: no sum notices it beside its largest term, which is 1, and the
// arithmetic below -87, where results are denormal, takes a tenth longer. What the mask forbids is made zero.
constexpr double kLeastExponent = -80;

// What one run of heads works in.
template <class T>
class Scratch {
 public:
  Scratch(int64_t longest, const Heads& heads, int64_t matrices)
      : memory_(empty({padded(longest) * (matrices * longest + 2 * heads.width + 5)}, dtype_of<T>)) {
    next_ = memory_.mutable_data<T>();
    scores = take(longest * padded(longest));
    dscores = matrices == 2 ? take(longest * padded(longest)) : nullptr;
    keys = take(heads.width * padded(longest));
    values = take(heads.width * padded(longest));
    mask = take(padded(longest));
    keep = take(padded(longest));
    largest = take(padded(longest));
    sums = take(padded(longest));
    deltas = take(padded(longest));
  }

  T *scores, *dscores;  // [length, padded length]
  T *keys, *values;     // k^T and v^T, [head width, padded length]
  T* mask;              // [padded length]: 0 for a key, -inf for padding and what lies behind the last token
  T* keep;              // [padded length]: 1 where mask is 0, else 0
  T *largest, *sums;    // [length], of the rows of scores
  T* deltas;            // [length]

 private:
  T* take(int64_t elements) {
    T* const taken = next_;
    next_ += elements;
    return taken;
  }

  Tensor memory_;
  T* next_;
};

// False when no key is valid.
template <class T>
bool fill_mask(const int32_t* key_valid, SequenceRange range, T* mask, T* keep) {
  constexpr T kNever = -std::numeric_limits<T>::infinity();
  bool any = false;
  for (int64_t i = 0; i < range.length; ++i) {
    const bool valid = !key_valid || key_valid[range.first + i] != 0;
    mask[i] = valid ? T(0) : kNever;
    keep[i] = valid ? T(1) : T(0);
    any = any || valid;
  }
  std::fill(mask + range.length, mask + padded(range.length), kNever);
  std::fill(keep + range.length, keep + padded(range.length), T(0));
  return any;
}

template <class T>
void zero_block(T* block, int64_t rows, int64_t columns, int64_t stride) {
  as_matrix(block, rows, columns, stride).setZero();
}

template <class T>
struct Forward {
  const T* qkv;
  const int32_t* key_valid;
  T *y, *lse;
  Heads heads;

  void head(SequenceRange range, int64_t head, Scratch<T>& scratch) const {
    const auto [first, length] = range;
    const int64_t stride = heads.qkv_stride(), columns = heads.columns(), width = padded(length);
    const T* const q = qkv + first * stride + head * heads.width;
    T* const out = y + first * columns + head * heads.width;
    T* const row_lse = lse + first * heads.count + head;
    if (!fill_mask(key_valid, range, scratch.mask, scratch.keep)) {
      zero_block(out, length, heads.width, columns);
      for (int64_t i = 0; i < length; ++i) row_lse[i * heads.count] = std::numeric_limits<T>::infinity();
      return;
    }
    transpose_padded(q + columns, stride, length, heads.width, scratch.keys, width);
    small_gemm<T>(length, width, heads.width, {q, stride}, scratch.keys, width, scratch.scores, width);
    const T score_scale = T(heads.score_scale());
    const auto mask = as_row(scratch.mask, width), keep = as_row(scratch.keep, width);
    // In passes over all rows: maximum, exp() and sum of one row wait for each other, those of many do not.
    for (int64_t i = 0; i < length; ++i) {
      auto row = as_row(scratch.scores + i * width, width);
      row = row * score_scale + mask;
      scratch.largest[i] = row.maxCoeff();  // may miss a NaN; the sum does not
    }
    for (int64_t i = 0; i < length; ++i) {
      auto row = as_row(scratch.scores + i * width, width);
      row = (row - scratch.largest[i]).max(T(kLeastExponent)).exp() * keep;
      scratch.sums[i] = row.sum();
    }
    auto largest = as_row(scratch.largest, length), sums = as_row(scratch.sums, length);
    largest += sums.log();
    sums = sums.inverse();
    for (int64_t i = 0; i < length; ++i) row_lse[i * heads.count] = largest[i];
    small_gemm<T>(length, heads.width, length, {scratch.scores, width}, q + 2 * columns, stride, out,
                  columns);
    for (int64_t i = 0; i < length; ++i) as_row(out + i * columns, heads.width) *= sums[i];
  }
};

template <class T>
struct Backward {
  const T* qkv;
  const int32_t* key_valid;
  const T *y, *lse, *dy;
  T* dqkv;
  Heads heads;

  void head(SequenceRange range, int64_t head, Scratch<T>& scratch) const {
    const auto [first, length] = range;
    const int64_t stride = heads.qkv_stride(), columns = heads.columns(), width = padded(length);
    const int64_t at_input = first * stride + head * heads.width, at = first * columns + head * heads.width;
    const T *q = qkv + at_input, *k = q + columns, *v = k + columns, *dout = dy + at;
    T *dq = dqkv + at_input, *dk = dq + columns, *dv = dk + columns;
    if (!fill_mask(key_valid, range, scratch.mask, scratch.keep)) {
      for (T* const block : {dq, dk, dv}) zero_block(block, length, heads.width, stride);
      return;
    }
    transpose_padded(k, stride, length, heads.width, scratch.keys, width);
    transpose_padded(v, stride, length, heads.width, scratch.values, width);
    small_gemm<T>(length, width, heads.width, {q, stride}, scratch.keys, width, scratch.scores, width);
    small_gemm<T>(length, width, heads.width, {dout, columns}, scratch.values, width, scratch.dscores, width);
    const T score_scale = T(heads.score_scale());
    const auto mask = as_row(scratch.mask, width), keep = as_row(scratch.keep, width);
    for (int64_t i = 0; i < length; ++i)
      scratch.deltas[i] =
          (as_row(dout + i * columns, heads.width) * as_row(y + at + i * columns, heads.width)).sum();
    for (int64_t i = 0; i < length; ++i) {
      auto p = as_row(scratch.scores + i * width, width);
      p = (p * score_scale + mask - lse[(first + i) * heads.count + head]).max(T(kLeastExponent)).exp() *
          keep;
    }
    for (int64_t i = 0; i < length; ++i) {
      auto ds = as_row(scratch.dscores + i * width, width);
      ds = as_row(scratch.scores + i * width, width) * (ds - scratch.deltas[i]) * score_scale;
    }
    const auto product = [&, length = length](GemmOperand<T> a, const T* b, int64_t b_stride, T* c) {
      small_gemm<T>(length, heads.width, length, a, b, b_stride, c, stride);
    };
    product({scratch.scores, width, true}, dout, columns, dv);
    product({scratch.dscores, width}, k, stride, dq);
    product({scratch.dscores, width, true}, q, stride, dk);
  }
};

// work.head() for every head of every sequence; `matrices` is how many [length, length] it needs at a time.
template <class T, class Work>
void for_each_head(const Work& work, const Sequences& sequences, int64_t matrices) {
  constexpr int64_t kMostRuns = 64;
  const std::vector<SequenceRange> ranges = sequence_ranges(sequences);
  int64_t longest = 0;
  for (const SequenceRun& run : sequences) longest = std::max(longest, run.length);
  const int64_t items = int64_t(ranges.size()) * work.heads.count;
  parallel_for(items, run_count(items, kMostRuns), [&](int64_t begin, int64_t end) {
    Scratch<T> scratch(longest, work.heads, matrices);
    for (int64_t item = begin; item < end; ++item)
      work.head(ranges[size_t(item / work.heads.count)], item % work.heads.count, scratch);
  });
}

Heads expect_arguments(const Tensor& qkv, const Tensor& key_valid, int64_t heads,
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
  const Heads sizes{heads, qkv.dim(1) / (3 * heads)};
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
  const Heads sizes = expect_arguments(qkv, key_valid, heads, sequences);
  const Tensor in = contiguous(qkv), valid = key_valid.defined() ? contiguous(key_valid) : key_valid;
  AttentionOutput output{empty({qkv.dim(0), sizes.columns()}, qkv.dtype(), qkv.device()),
                         empty({qkv.dim(0), heads}, statistics_dtype(qkv.dtype()), qkv.device())};
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const Forward<T> work{in.data<T>(), valid.defined() ? valid.data<int32_t>() : nullptr,
                          output.y.mutable_data<T>(), output.lse.mutable_data<T>(), sizes};
    for_each_head<T>(work, sequences, 1);
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
  const Heads sizes = expect_arguments(qkv, key_valid, heads, sequences);
  expect_shape("attention backward", "dy", dy, output.y.shape(), "because y is that");
  const Tensor in = contiguous(qkv), valid = key_valid.defined() ? contiguous(key_valid) : key_valid;
  const Tensor gradient = contiguous(dy);
  Tensor dqkv = empty_like(in);
  const auto on_cpu = [&]<class T>(OnCpu<T>) {
    const Backward<T> work{in.data<T>(),
                           valid.defined() ? valid.data<int32_t>() : nullptr,
                           output.y.data<T>(),
                           output.lse.data<T>(),
                           gradient.data<T>(),
                           dqkv.mutable_data<T>(),
                           sizes};
    for_each_head<T>(work, sequences, 2);
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
