// The optimizer's update of a flat arena, and the gradient's norm before it.
#include <memory>

#include "bench/support/bench_case.h"
#include "bench/support/bench_place.h"
#include "models/optim/adamw.h"
#include "models/optim/clip.h"
#include "tensor/error.h"
#include "tensor/factory.h"

namespace limoe::bench {
namespace {

std::shared_ptr<ParameterArena> bench_arena(int64_t count, DType dtype) {
  const ParameterSpec spec{.name = "w", .shape = {count}, .init = {}, .decays = true};
  auto arena =
      std::make_shared<ParameterArena>(std::vector<ParameterSpec>{spec}, 1, dtype, bench_place().device);
  arena->assign("w", bench_normal({count}, dtype));
  Tensor gradient = arena->gradients().slice(0, 0, count);
  copy_into(gradient, bench_normal({count}, dtype, 1));
  return arena;
}

}  // namespace

std::vector<BenchCase> adamw_bench_cases() {
  std::vector<BenchCase> cases;
  for (const int64_t count : by_size<std::vector<int64_t>>({1 << 20, 1 << 24}, {1 << 24, 1 << 27}, {1000})) {
    const double array = bytes_of(double(count));
    cases.push_back({.op = "adamw",
                     .pass = "step",
                     .shape = concatenate(Shape{count}),
                     .bytes = 7 * array,  // w, g, m, v are read; w, m, v are written
                     .f32_alone = true,
                     .make = [count](DType dtype) {
                       const auto arena = bench_arena(count, dtype);
                       const auto optimizer =
                           std::make_shared<AdamW>(*arena, AdamWSettings{.weight_decay = 0.1});
                       return BenchCall([=] {
                         optimizer->step(*arena, {.lr = 1e-3});
                         return Tensors{arena->values()};
                       });
                     }});
    cases.push_back({.op = "adamw",
                     .pass = "gradient norm",
                     .shape = concatenate(Shape{count}),
                     .bytes = array,
                     .f32_alone = true,
                     .make = [count](DType dtype) {
                       const auto arena = bench_arena(count, dtype);
                       return BenchCall(
                           [arena] { return Tensors{full({}, gradient_norm(*arena), DType::f64)}; });
                     }});
  }
  return cases;
}

}  // namespace limoe::bench
