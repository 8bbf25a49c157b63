// One run of sequences of one length: 16 tokens are a caption, 50, 64 and 196 pictures.
#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"
#include "ops/attention.h"
#include "tensor/error.h"

namespace limoe::bench {
namespace {

struct AttentionShape {
  int64_t sequences, length, width, heads;
};

void add_attention(std::vector<BenchCase>& cases, const AttentionShape& s) {
  const int64_t rows = s.sequences * s.length;
  const double product = 2.0 * double(rows) * double(s.length) * double(s.width);
  const double array = bytes_of(double(rows * s.width));
  const std::string shape =
      concatenate(s.sequences, " x ", s.length, " tokens, ", s.heads, " heads of ", s.width / s.heads);
  const Sequences sequences{{s.sequences, s.length}};
  cases.push_back({.op = "attention",
                   .pass = "forward",
                   .shape = shape,
                   .flop = 2 * product,
                   .bytes = 4 * array,  // q, k, v; y
                   .longest_sum = 4 * s.length,
                   .make = [=](DType dtype) {
                     const Tensor qkv = bench_normal({rows, 3 * s.width}, dtype);
                     return BenchCall(
                         [=] { return Tensors{attention_forward(qkv, Tensor(), s.heads, sequences).y}; });
                   }});
  cases.push_back({.op = "attention",
                   .pass = "backward",
                   .shape = shape,
                   .flop = 5 * product,
                   .bytes = 8 * array,  // q, k, v, y, dy; dq, dk, dv
                   .longest_sum = 4 * s.length,
                   .make = [=](DType dtype) {
                     const Tensor qkv = bench_normal({rows, 3 * s.width}, dtype);
                     const Tensor dy = bench_normal({rows, s.width}, dtype, 1);
                     const AttentionOutput out = attention_forward(qkv, Tensor(), s.heads, sequences);
                     return BenchCall(
                         [=] { return Tensors{attention_backward(qkv, Tensor(), out, sequences, dy)}; });
                   }});
}

}  // namespace

std::vector<BenchCase> attention_bench_cases() {
  std::vector<BenchCase> cases;
  for (const AttentionShape& s : by_size<std::vector<AttentionShape>>(
           {{256, 16, 96, 3}, {256, 16, 384, 6}, {64, 50, 384, 6}, {64, 64, 384, 6}, {8, 196, 768, 12}},
           {{1024, 16, 768, 12},
            {512, 50, 768, 12},
            {512, 64, 768, 12},
            {256, 196, 768, 12},
            {128, 257, 1024, 16},
            {64, 577, 1024, 16}},
           {{3, 5, 24, 3}, {2, 17, 16, 1}, {1, 65, 32, 2}}))
    add_attention(cases, s);
  return cases;
}

}  // namespace limoe::bench
