#include "bench/support/shapes.h"

#include "bench/support/bench_place.h"

namespace limoe::bench {
namespace {

const std::vector<TowerShape> kLaptop{
    {"w96", {{256, 16}, {256, 16}}, 8192, 96, 3, 384, 96, 8, 256, 48, 12, 3000},
    {"w384", {{64, 49}, {64, 16}}, 4160, 384, 6, 1536, 384, 8, 64, 112, 16, 3000},
    {"B/16", {{8, 196}, {8, 16}}, 1696, 768, 12, 3072, 512, 8, 8, 224, 16, 32000},
};
const std::vector<TowerShape> kGpu{
    {"S/32", {{256, 49}, {256, 16}}, 16640, 512, 8, 2048, 512, 8, 256, 224, 32, 32000},
    {"B/16", {{256, 196}, {256, 16}}, 54272, 768, 12, 3072, 512, 8, 256, 224, 16, 32000},
};
const std::vector<TowerShape> kTiny{
    {"tiny", {{3, 9}, {3, 5}}, 42, 24, 3, 40, 16, 4, 3, 12, 4, 11},
};

}  // namespace

const std::vector<TowerShape>& tower_shapes() {
  switch (bench_place().size) {
    case BenchSize::gpu:
      return kGpu;
    case BenchSize::tiny:
      return kTiny;
    case BenchSize::laptop:
      break;
  }
  return kLaptop;
}

}  // namespace limoe::bench
