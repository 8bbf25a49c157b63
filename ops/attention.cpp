#include "ops/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "autograd/record.h"
#include "ops/check.h"
#include "ops/dispatch.h"
#include "ops/eigen_maps.h"
#include "ops/gemm.h"
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

// What one run of heads works in.
template <class T>
class Scratch {
 public:
  Scratch(int64_t longest, const Heads& heads, int64_t matrices)
      : memory_(empty({padded(longest) * (matrices * longest + 2 * heads.width + 1)}, dtype_of<T>)) {
    next_ = memory_.mutable_data<T>();
    scores = take(longest * padded(longest));
    dscores = matrices == 2 ? take(longest * padded(longest)) : nullptr;
    keys = take(heads.width * padded(longest));
    values = take(heads.width * padded(longest));
    mask = take(padded(longest));
  }

  T *scores, *dscores;  // [length, padded length]
  T *keys, *values;     // k^T and v^T, [head width, padded length]
  T* mask;              // [padded length]: 0 for a key, -inf for padding and what lies behind the last token

 private:
  T* take(int64_t elements) {
    T* const taken = next_;
    next_ += elements;
    return taken;
  }

  Tensor memory_;
  T* next_;
};

// to [width, padded length] = from [length, width] transposed; zero behind the last token.
template <class T>
void transpose_head(const T* from, int64_t stride, int64_t length, int64_t width, T* to) {
  auto out = as_matrix(to, width, padded(length), padded(length));
  out.leftCols(length) = as_matrix(from, length, width, stride).transpose();
  out.rightCols(padded(length) - length).setZero();
}

// False when no key is valid.
template <class T>
bool fill_mask(const int32_t* key_valid, SequenceRange range, T* mask) {
  constexpr T kNever = -std::numeric_limits<T>::infinity();
  bool any = false;
  for (int64_t i = 0; i < range.length; ++i) {
    const bool valid = !key_valid || key_valid[range.first + i] != 0;
    mask[i] = valid ? T(0) : kNever;
    any = any || valid;
  }
  std::fill(mask + range.length, mask + padded(range.length), kNever);
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
    if (!fill_mask(key_valid, range, scratch.mask)) {
      zero_block(out, length, heads.width, columns);
      for (int64_t i = 0; i < length; ++i) row_lse[i * heads.count] = std::numeric_limits<T>::infinity();
      return;
    }
    transpose_head(q + columns, stride, length, heads.width, scratch.keys);
    gemm_on_this_thread<T>(length, width, heads.width, {q, stride}, {scratch.keys, width}, T(0),
                           scratch.scores, width);
    const T score_scale = T(heads.score_scale());
    RowArray<T> sums(length);
    for (int64_t i = 0; i < length; ++i) {
      auto row = as_row(scratch.scores + i * width, width);
      row = row * score_scale + as_row(scratch.mask, width);
      const T largest = row.template maxCoeff<Eigen::PropagateNaN>();
      row = (row - largest).exp();
      sums[i] = row.sum();
      row_lse[i * heads.count] = largest + std::log(sums[i]);
    }
    gemm_on_this_thread<T>(length, heads.width, length, {scratch.scores, width}, {q + 2 * columns, stride},
                           T(0), out, columns);
    for (int64_t i = 0; i < length; ++i) as_row(out + i * columns, heads.width) /= sums[i];
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
    if (!fill_mask(key_valid, range, scratch.mask)) {
      for (T* const block : {dq, dk, dv}) zero_block(block, length, heads.width, stride);
      return;
    }
    transpose_head(k, stride, length, heads.width, scratch.keys);
    transpose_head(v, stride, length, heads.width, scratch.values);
    gemm_on_this_thread<T>(length, width, heads.width, {q, stride}, {scratch.keys, width}, T(0),
                           scratch.scores, width);
    gemm_on_this_thread<T>(length, width, heads.width, {dout, columns}, {scratch.values, width}, T(0),
                           scratch.dscores, width);
    const T score_scale = T(heads.score_scale());
    for (int64_t i = 0; i < length; ++i) {
      auto p = as_row(scratch.scores + i * width, width), ds = as_row(scratch.dscores + i * width, width);
      const T delta =
          (as_row(dout + i * columns, heads.width) * as_row(y + at + i * columns, heads.width)).sum();
      p = (p * score_scale + as_row(scratch.mask, width) - lse[(first + i) * heads.count + head]).exp();
      ds = p * (ds - delta) * score_scale;
    }
    const auto product = [&, length = length](GemmOperand<T> a, GemmOperand<T> b, T* c) {
      gemm_on_this_thread<T>(length, heads.width, length, a, b, T(0), c, stride);
    };
    product({scratch.scores, width, true}, {dout, columns}, dv);
    product({scratch.dscores, width}, {k, stride}, dq);
    product({scratch.dscores, width, true}, {q, stride}, dk);
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
  }
  return {heads, qkv.dim(1) / (3 * heads)};
}

}  // namespace

AttentionOutput attention_forward(const Tensor& qkv, const Tensor& key_valid, int64_t heads,
                                  const Sequences& sequences) {
  const Heads sizes = expect_arguments(qkv, key_valid, heads, sequences);
  const Tensor in = contiguous(qkv), valid = key_valid.defined() ? contiguous(key_valid) : key_valid;
  const int32_t* const valid_data = valid.defined() ? valid.data<int32_t>() : nullptr;
  AttentionOutput output{empty({qkv.dim(0), sizes.columns()}, qkv.dtype(), qkv.device()),
                         empty({qkv.dim(0), heads}, qkv.dtype(), qkv.device())};
  dispatch("attention", in, [&]<class T>(OnCpu<T>) {
    const Forward<T> work{in.data<T>(), valid_data, output.y.mutable_data<T>(), output.lse.mutable_data<T>(),
                          sizes};
    for_each_head<T>(work, sequences, 1);
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
  const int32_t* const valid_data = valid.defined() ? valid.data<int32_t>() : nullptr;
  Tensor dqkv = empty_like(in);
  dispatch("attention backward", in, [&]<class T>(OnCpu<T>) {
    const Backward<T> work{
        in.data<T>(),           valid_data, output.y.data<T>(), output.lse.data<T>(), gradient.data<T>(),
        dqkv.mutable_data<T>(), sizes};
    for_each_head<T>(work, sequences, 2);
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
