// What is timed: one pass of one op at one shape, declared beside the others of its op.
//
// bench/<op>_bench.cpp defines one function, which the build finds by the file's name and puts into the table
// of bench_table.h (nothing registers itself):
//
//   std::vector<BenchCase> gelu_bench_cases() {
//     return {{.op = "gelu", .pass = "forward", .shape = "[8192, 384]",
//              .flop = 0, .bytes = 2.0 * 8192 * 384 * 4,
//              .make = [](DType dtype) {
//                const Tensor x = bench_normal({8192, 384}, dtype);
//                return BenchCall([x] { return Tensors{gelu_forward(x)}; });
//              }}};
//   }
//
// make(f32) is what is timed. It is checked first (check_case.h) against make(f64), or against `twin`, a
// readable body of the same result. Inputs are allocated by make(), so a case that is not run costs nothing.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace limoe::bench {

using Tensors = std::vector<Tensor>;
using BenchCall = std::function<Tensors()>;  // one call; gives back what it computed

struct BenchCase {
  std::string op;            // as the file is named
  std::string pass;          // "forward", "backward", or a part of it: "backward kernel"
  std::string shape;         // for people: "[8192, 384]", "[8192, 384] x [384, 1536]"
  std::string version = {};  // empty: what the program uses; others run with --all-versions
  double flop = 0;           // of one call: multiply and add count as two. 0: bound by memory alone
  double bytes = 0;          // that one call must read and write at least, each once
  int64_t longest_sum = 64;  // terms of the longest sum, for the tolerance of the check
  bool cpu_alone = false;    // a whole layer: on a device `limoe bench step` times it
  bool f32_alone = false;    // what a model computes in f32 whatever its activations are
  std::function<BenchCall(DType)> make;
  std::function<BenchCall()> twin = {};  // instead of make(f64)

  std::string name() const {  // "gelu/forward/[8192, 384]", with "/version" where it has one
    return op + '/' + pass + '/' + shape + (version.empty() ? "" : '/' + version);
  }
};

// Fixed numbers, the same in f32 and f64 and on every device: normal, of standard deviation `deviation`. They
// lie where bench_place.h says.
Tensor bench_normal(const Shape& shape, DType dtype, uint64_t stream = 0, double deviation = 1);

inline double bytes_of(double elements) {
  return elements * sizeof(float);
}

}  // namespace limoe::bench
