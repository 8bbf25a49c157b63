#include "bench/support/bench_place.h"

#include "tensor/factory.h"

namespace limoe::bench {
namespace {

BenchPlace place;

}  // namespace

const BenchPlace& bench_place() {
  return place;
}

BenchPlaceScope::BenchPlaceScope(const BenchPlace& inner) : outer_(place) {
  place = inner;
}
BenchPlaceScope::~BenchPlaceScope() {
  place = outer_;
}

Tensor on_bench_device(const Tensor& x) {
  return to_device(x, place.device);
}

}  // namespace limoe::bench
