#include "models/optim/guard.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"

using namespace limoe;

namespace {

// Alternates 1 and 3: mean 2, deviation 1.
double calm(size_t i) {
  return i % 2 ? 3 : 1;
}

LossGuard calm_guard(size_t steps = SpikeWindow::kSize) {
  LossGuard guard;
  for (size_t i = 0; i < steps; ++i) REQUIRE(guard.look(calm(i), calm(i)).ok());
  return guard;
}

}  // namespace

TEST_CASE("guard: a jump above six deviations of a full window is a spike, in words") {
  CHECK(calm_guard().look(8, 2).ok());  // exactly 6
  const GuardReport report = calm_guard().look(10, 2);
  CHECK(report.is_spike);
  CHECK(report.is_finite);
  CHECK(report.loss_z == doctest::Approx(8));
  CHECK(report.gradient_norm_z == doctest::Approx(0));
  CHECK(report.words == "loss is 10, 8 standard deviations above its last 128 values");
  const GuardReport both = calm_guard().look(10, 12);
  CHECK(both.words ==
        "loss is 10, 8 standard deviations above its last 128 values; gradient norm is 12, 10 standard "
        "deviations "
        "above its last 128 values");
}

TEST_CASE("guard: nothing is a spike before the window is full, and a fall never is") {
  CHECK(calm_guard(SpikeWindow::kSize - 1).look(1e6, 1e6).ok());
  const GuardReport fall = calm_guard().look(-100, 2);
  CHECK(fall.ok());
  CHECK(fall.loss_z == doctest::Approx(-102));
}

TEST_CASE("guard: NaN and infinity are seen at once and do not enter the window") {
  LossGuard guard;
  const GuardReport nan = guard.look(NAN, 1);
  CHECK_FALSE(nan.is_finite);
  CHECK_FALSE(nan.ok());
  CHECK(nan.words == "loss is nan");
  CHECK(guard.look(1, INFINITY).words == "gradient norm is inf");
  const auto state = guard.state();
  CHECK(state.at("losses").shape() == Shape{1});
  CHECK(state.at("gradient_norms").shape() == Shape{1});
}

TEST_CASE("guard: a new level is a spike once and then the normal") {
  LossGuard guard = calm_guard();
  CHECK_FALSE(guard.look(20, 2).ok());
  int spikes = 0;
  for (size_t i = 0; i < SpikeWindow::kSize; ++i) spikes += !guard.look(20 + calm(i), 2).ok();
  CHECK(spikes < 8);
  CHECK(guard.look(22, 2).ok());
}

TEST_CASE("guard: a window of equal values knows only equal and not equal") {
  SpikeWindow window;
  for (size_t i = 0; i < SpikeWindow::kSize; ++i) window.add(0.1);
  CHECK(window.z_score(0.1) == 0);
  CHECK(window.z_score(0.2) == INFINITY);
  CHECK(window.z_score(0.05) == -INFINITY);
}

TEST_CASE("guard: the oldest value leaves the window") {
  SpikeWindow window;
  for (size_t i = 0; i < SpikeWindow::kSize + 1; ++i) window.add(double(i));
  CHECK(window.values().size() == SpikeWindow::kSize);
  CHECK(window.values().front() == 1);
}

TEST_CASE("guard: loaded state judges like the guard it was saved from; other state is refused") {
  LossGuard original = calm_guard(), copy;
  copy.load_state(original.state());
  CHECK(copy.look(9, 5).words == original.look(9, 5).words);
  CHECK_THROWS_WITH_AS(copy.load_state({}), "guard state: losses is missing; expected up to 128 values",
                       ValueError);
  CHECK_THROWS_WITH_AS(copy.load_state({{"losses", zeros({200}, DType::f64)}}),
                       "guard state: losses is f64 [200]; expected f64 [0..128]", ValueError);
  CHECK_THROWS_AS(copy.load_state({{"losses", zeros({2})}}), ValueError);
}

TEST_CASE("guard: a limit that is not positive is refused") {
  CHECK_THROWS_WITH_AS(LossGuard(0), "guard: z_limit is 0; expected more than 0", ValueError);
  CHECK_THROWS_AS(LossGuard{NAN}, ValueError);
}
