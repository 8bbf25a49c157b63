// One head of one sequence of attention on the CPU, forward and backward: the passes of ops/attention.h.
//
// For attention.cpp alone. A head's q, k, v and dy are read where they lie, and what a block of queries needs
// besides stays in the first-level cache.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/attention_softmax.h"
#include "ops/eigen_maps.h"
#include "ops/fetch_ahead.h"
#include "ops/sequences.h"
#include "ops/small_gemm.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"

namespace limoe::detail {

struct AttentionHeads {
  int64_t count, width;  // width: columns of one head
  int64_t columns() const { return count * width; }
  int64_t qkv_stride() const { return 3 * columns(); }
  double score_scale() const { return 1 / std::sqrt(double(width)); }
};

// One head of one sequence.
struct HeadPlace {
  SequenceRange range;
  int64_t head;
};

template <class T>
int64_t lanes_for(int64_t queries) {
  return run_count(queries, kLanes<T>) * kLanes<T>;
}

// Rows of k and v lie a row of qkv apart: each in a page of its own, many in the same set of the cache. Where
// several blocks of queries read them they are worth a copy, side by side, and their gradients a sum there.
template <class T>
bool worth_copying(int64_t length) {
  return length > kLastQueryBlock<T>;
}

// A head's rows lie a row of qkv apart, where the processor sees no stream: those of the next head, and those
// that this one writes, are fetched while this one is multiplied, so many with every tile of a product. A
// long head has many tiles, and its products wait while more rows are on their way; a short one is over
// before a row asked for comes, and has few tiles to ask in.
template <class T>
int64_t rows_fetched_at_once(int64_t length) {
  return length > kQueryBlock<T> ? 3 : 32;
}

// What one run of heads works in.
template <class T>
class AttentionScratch {
 public:
  AttentionScratch(int64_t longest, const AttentionHeads& heads)
      : memory_(empty({2 * (longest + heads.width) + 1, kLastQueryBlock<T>}, dtype_of<T>)),
        copies_(empty({4, worth_copying<T>(longest) ? longest * heads.width : 0}, dtype_of<T>)) {
    T** const copies[] = {&keys, &values, &dkeys, &dvalues};
    for (int64_t i = 0; i < 4; ++i) *copies[i] = copies_.mutable_data<T>() + i * copies_.dim(1);
    next_ = memory_.mutable_data<T>();
    scores = take(longest);
    dscores = take(longest);
    queries = take(heads.width);
    gradients = take(heads.width);
    lse = take(1);
  }

  RowsToFetch<T> ahead;                // while this head is computed
  T *scores, *dscores;                 // [length, lanes]
  T *queries, *gradients;              // q^T and dy^T of the block, [head width, lanes]
  T* lse;                              // [lanes]
  T *keys, *values, *dkeys, *dvalues;  // [length, head width], where worth_copying()

 private:
  T* take(int64_t rows) {
    T* const taken = next_;
    next_ += rows * kLastQueryBlock<T>;
    return taken;
  }

  Tensor memory_, copies_;
  T* next_;
};

template <class T>
SmallRows<const T> copied_if_worth(SmallRows<const T> from, int64_t length, int64_t width, T* to) {
  if (!worth_copying<T>(length)) return from;
  as_matrix(to, length, width, width) = as_matrix(from.data, length, width, from.stride);
  return {to, width};
}

template <class T>
struct AttentionForwardOnCpu {
  const T* qkv;
  const int32_t* key_valid;
  T *y, *lse;
  AttentionHeads heads;

  // y and lse of `place`; what the head at `next` reads is fetched meanwhile.
  void head(const HeadPlace& place, const HeadPlace& next, AttentionScratch<T>& scratch) const {
    const auto [first, length] = place.range;
    const int64_t head = place.head, stride = heads.qkv_stride(), columns = heads.columns();
    const T* const q = qkv + first * stride + head * heads.width;
    T* const out = y + first * columns + head * heads.width;
    T* const row_lse = lse + first * heads.count + head;
    const AttentionKeys keys{key_valid ? key_valid + first : nullptr};
    if (!keys.any(length)) {
      as_matrix(out, length, heads.width, columns).setZero();
      for (int64_t i = 0; i < length; ++i) row_lse[i * heads.count] = std::numeric_limits<T>::infinity();
      return;
    }
    const SmallRows<const T> k = copied_if_worth<T>({q + columns, stride}, length, heads.width, scratch.keys),
                             v = copied_if_worth<T>({q + 2 * columns, stride}, length, heads.width,
                                                    scratch.values);
    fetch_meanwhile(place, next, scratch.ahead);
    for (int64_t begin = 0, count; begin < length; begin += count) {
      count = queries_of_block<T>(length - begin);
      const int64_t lanes = lanes_for<T>(count);
      transpose_padded(q + begin * stride, stride, count, heads.width, scratch.queries, lanes);
      small_gemm(length, lanes, heads.width, {k.data, k.stride}, scratch.queries, lanes, scratch.scores,
                 lanes, scratch.ahead);
      for_registers_of<T>(lanes, [&]<int64_t kRegisters>(std::integral_constant<int64_t, kRegisters>) {
        softmax_of_queries<kRegisters>(keys, length, T(heads.score_scale()), scratch.scores, scratch.lse);
      });
      for (int64_t i = 0; i < count; ++i) row_lse[(begin + i) * heads.count] = scratch.lse[i];
      small_gemm(count, heads.width, length, {scratch.scores, lanes, true}, v.data, v.stride,
                 out + begin * columns, columns, scratch.ahead);
    }
  }

 private:
  void fetch_meanwhile(const HeadPlace& place, const HeadPlace& next, RowsToFetch<T>& ahead) const {
    ahead.begin(rows_fetched_at_once<T>(place.range.length));
    const int64_t stride = heads.qkv_stride(), columns = heads.columns();
    const T* const q = qkv + next.range.first * stride + next.head * heads.width;
    ahead.add(y + place.range.first * columns + place.head * heads.width, columns, place.range.length,
              heads.width);
    for (const int64_t part : {1, 2, 0})
      ahead.add(q + part * columns, stride, next.range.length, heads.width);
  }
};

template <class T>
struct AttentionBackwardOnCpu {
  const T* qkv;
  const int32_t* key_valid;
  const T *lse, *dy;
  T* dqkv;
  AttentionHeads heads;

  // dq, dk and dv of `place`; where they go, and what the head at `next` reads, is fetched meanwhile.
  void head(const HeadPlace& place, const HeadPlace& next, AttentionScratch<T>& scratch) const {
    const auto [first, length] = place.range;
    const int64_t head = place.head, stride = heads.qkv_stride(), columns = heads.columns();
    const int64_t at = first * stride + head * heads.width;
    const AttentionKeys keys{key_valid ? key_valid + first : nullptr};
    if (!keys.any(length)) {
      for (int64_t part = 0; part < 3; ++part)
        as_matrix(dqkv + at + part * columns, length, heads.width, stride).setZero();
      return;
    }
    const int64_t width = heads.width;
    const T* const q = qkv + at;
    T *const dk = dqkv + at + columns, *const dv = dk + columns;
    const bool copied = worth_copying<T>(length);
    const KeysAndValues of{.k = copied_if_worth<T>({q + columns, stride}, length, width, scratch.keys),
                           .v = copied_if_worth<T>({q + 2 * columns, stride}, length, width, scratch.values),
                           .dk = copied ? SmallRows<T>{scratch.dkeys, width} : SmallRows<T>{dk, stride},
                           .dv = copied ? SmallRows<T>{scratch.dvalues, width} : SmallRows<T>{dv, stride}};
    fetch_meanwhile(place, next, scratch.ahead);
    for (int64_t begin = 0, count; begin < length; begin += count) {
      count = queries_of_block<T>(length - begin);
      const T* const row_lse = lse + (first + begin) * heads.count + head;
      for (int64_t i = 0; i < kLastQueryBlock<T>; ++i)
        scratch.lse[i] = i < count ? row_lse[i * heads.count] : T(0);
      const T* const dout = dy + (first + begin) * columns + head * heads.width;
      if (begin == 0)
        block<Write::replace>(keys, of, q + begin * stride, dout, count, length, dqkv + at + begin * stride,
                              scratch);
      else
        block<Write::add>(keys, of, q + begin * stride, dout, count, length, dqkv + at + begin * stride,
                          scratch);
    }
    if (!copied) return;
    as_matrix(dk, length, width, stride) = as_matrix(scratch.dkeys, length, width, width);
    as_matrix(dv, length, width, stride) = as_matrix(scratch.dvalues, length, width, width);
  }

 private:
  void fetch_meanwhile(const HeadPlace& place, const HeadPlace& next, RowsToFetch<T>& ahead) const {
    ahead.begin(rows_fetched_at_once<T>(place.range.length));
    const int64_t stride = heads.qkv_stride(), columns = heads.columns();
    const T* const q = qkv + next.range.first * stride + next.head * heads.width;
    T* const dq = dqkv + place.range.first * stride + place.head * heads.width;
    for (int64_t part = 0; part < 3; ++part)
      ahead.add(dq + part * columns, stride, place.range.length, heads.width);
    for (int64_t part = 0; part < 3; ++part)
      ahead.add(q + part * columns, stride, next.range.length, heads.width);
    ahead.add(dy + next.range.first * columns + next.head * heads.width, columns, next.range.length,
              heads.width);
  }

  struct KeysAndValues {
    SmallRows<const T> k, v;
    SmallRows<T> dk, dv;
  };

  // Writes dq of `count` queries; writes what they give to dk and dv, or adds it.
  template <Write kWrite>
  void block(const AttentionKeys& keys, const KeysAndValues& of, const T* q, const T* dout, int64_t count,
             int64_t length, T* dq, AttentionScratch<T>& scratch) const {
    const int64_t stride = heads.qkv_stride(), columns = heads.columns(), width = heads.width;
    const int64_t lanes = lanes_for<T>(count);
    transpose_padded(q, stride, count, width, scratch.queries, lanes);
    transpose_padded(dout, columns, count, width, scratch.gradients, lanes);
    small_gemm(length, lanes, width, {of.k.data, of.k.stride}, scratch.queries, lanes, scratch.scores, lanes,
               scratch.ahead);
    small_gemm(length, lanes, width, {of.v.data, of.v.stride}, scratch.gradients, lanes, scratch.dscores,
               lanes, scratch.ahead);
    for_registers_of<T>(lanes, [&]<int64_t kRegisters>(std::integral_constant<int64_t, kRegisters>) {
      softmax_gradient_of_queries<kRegisters>(keys, length, T(heads.score_scale()), scratch.lse,
                                              scratch.scores, scratch.dscores);
    });
    small_gemm<T, kWrite>(length, width, count, {scratch.scores, lanes}, dout, columns, of.dv.data,
                          of.dv.stride, scratch.ahead);
    small_gemm<T, kWrite>(length, width, count, {scratch.dscores, lanes}, q, stride, of.dk.data, of.dk.stride,
                          scratch.ahead);
    small_gemm(count, width, length, {scratch.dscores, lanes, true}, of.k.data, of.k.stride, dq, stride,
               scratch.ahead);
  }
};

// work.head() for every head of every sequence.
template <class T, class Work>
void for_each_head(const Work& work, const Sequences& sequences) {
  constexpr int64_t kMostRuns = 64;
  const std::vector<SequenceRange> ranges = sequence_ranges(sequences);
  int64_t longest = 0;
  for (const SequenceRun& run : sequences) longest = std::max(longest, run.length);
  const int64_t items = int64_t(ranges.size()) * work.heads.count;
  parallel_for(items, run_count(items, kMostRuns), [&](int64_t begin, int64_t end) {
    AttentionScratch<T> scratch(longest, work.heads);
    const auto place = [&](int64_t item) {
      return HeadPlace{ranges[size_t(item / work.heads.count)], item % work.heads.count};
    };
    for (int64_t item = begin; item < end; ++item)
      work.head(place(item), place(std::min(item + 1, end - 1)), scratch);
  });
}

}  // namespace limoe::detail
