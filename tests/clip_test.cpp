#include "models/optim/clip.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tensor/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/golden_ops.h"

using namespace limoe;
using namespace limoe::testing;

namespace {

void set_gradients(ParameterArena& arena, double value) {
  copy_into(arena.gradients(), full(arena.gradients().shape(), value, arena.gradients().dtype()));
}

ParameterArena one_vector(int64_t width, double gradient, DType dtype = DType::f64) {
  ParameterArena arena({{"a", {width}, Init::zeros()}}, 0, dtype);
  set_gradients(arena, gradient);
  return arena;
}

}  // namespace

TEST_CASE("clip: the golden norm and the golden clipped gradients") {
  const SafetensorsFile& file = golden_ops();
  const std::string names[] = {"dense.kernel", "expert.bias", "expert.kernel", "vector"};
  std::vector<ParameterSpec> specs;
  for (const std::string& name : names)
    specs.push_back({name, file.tensors.at("optimiser." + name + ".start").shape(), {}});
  ParameterArena arena(specs, 0, DType::f64);
  for (const Parameter& parameter : arena.parameters()) {
    const Shape& shape = parameter.spec.shape;
    Tensor to = arena.gradients().slice(0, parameter.offset, parameter.offset + shape.element_count());
    copy_into(to, file.tensors.at("optimiser." + parameter.spec.name + ".gradients")
                      .slice(0, 0, 1)
                      .reshape({shape.element_count()}));
  }
  const double norm = clip_gradient_norm(arena, std::stod(file.metadata.at("optimiser.clip.limit")));
  CHECK_CLOSE(full({}, norm, DType::f64), file.tensors.at("optimiser.clip.norm"), tolerance::kGoldenF64);
  for (const std::string& name : names)
    CHECK_CLOSE(arena[name].gradient(), file.tensors.at("optimiser.clip." + name), tolerance::kGoldenF64);
}

TEST_CASE("clip: a short gradient, a limit of 0 and a gradient of zero are left alone") {
  ParameterArena arena = one_vector(16, 1);
  CHECK(clip_gradient_norm(arena, 4) == 4);
  CHECK_SAME_BITS(arena["a"].gradient(), full({16}, 1, DType::f64));
  CHECK(clip_gradient_norm(arena, 0) == 4);
  CHECK_SAME_BITS(arena["a"].gradient(), full({16}, 1, DType::f64));
  CHECK(clip_gradient_norm(arena, 2) == 4);
  CHECK_SAME_BITS(arena["a"].gradient(), full({16}, 0.5, DType::f64));
  arena.zero_gradients();
  CHECK(clip_gradient_norm(arena, 2) == 0);
}

TEST_CASE("clip: squares that f32 cannot hold are summed all the same") {
  CHECK(gradient_norm(one_vector(16, 1e30, DType::f32)) == doctest::Approx(4e30).epsilon(1e-6));
  CHECK(gradient_norm(one_vector(16, 1e-30, DType::f32)) == doctest::Approx(4e-30).epsilon(1e-6));
}

TEST_CASE("clip: a norm that is not finite is returned and the gradients are kept as evidence") {
  for (const double broken : {double(NAN), double(INFINITY)}) {
    ParameterArena arena = one_vector(16, 1);
    arena.gradients().mutable_data<double>()[3] = broken;
    const Tensor before = clone(arena.gradients());
    CHECK_FALSE(std::isfinite(clip_gradient_norm(arena, 1)));
    CHECK_SAME_BITS(arena.gradients(), before);
  }
}

TEST_CASE("clip: the same bits on any number of threads") {
  const int threads = thread_count();
  ParameterArena arena({{"a", {1000003}, Init::zeros()}}, 0);
  copy_into(arena.gradients(), random_normal(arena.gradients().shape(), 0, 1, 5, 0));
  set_thread_count(1);
  const double alone = gradient_norm(arena);
  CHECK(alone == doctest::Approx(1000).epsilon(0.01));
  for (const int count : {2, 3, 5}) {
    set_thread_count(count);
    CHECK(gradient_norm(arena) == alone);
  }
  set_thread_count(threads);
}

TEST_CASE("clip: a negative or NaN limit is refused") {
  ParameterArena arena = one_vector(3, 1);
  CHECK_THROWS_WITH_AS(clip_gradient_norm(arena, -1),
                       "clip_gradient_norm: max_norm is -1; expected 0 or more", ValueError);
  CHECK_THROWS_AS(clip_gradient_norm(arena, NAN), ValueError);
}
