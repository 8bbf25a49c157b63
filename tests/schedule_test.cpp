#include "models/optim/schedule.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/safetensors.h"
#include "tests/support/compare.h"
#include "tests/support/golden_ops.h"

using namespace limoe;
using namespace limoe::testing;
using Kind = Schedule::Kind;

namespace {

Tensor rates(const Schedule& schedule, double peak, int64_t steps) {
  std::vector<double> values;
  for (int64_t step = 0; step < steps; ++step) values.push_back(peak * schedule_factor(schedule, step));
  return from_vector<double>({steps}, values);
}

}  // namespace

TEST_CASE("schedule: the published rsqrt table, to its seven digits") {
  const Schedule rsqrt{Kind::rsqrt, 12, 4, 3, 2};
  const double table[] = {0,        .025,     .05,      .075,     .1,       .0816497,
                          .0707107, .0632456, .0577350, .0534522, .0356348, .0178174};
  for (int64_t step = 0; step < 12; ++step)
    CHECK(std::abs(0.1 * schedule_factor(rsqrt, step) - table[step]) <= 5e-8);
  CHECK(schedule_factor(rsqrt, 12) == 0);
  CHECK(schedule_factor(rsqrt, 1000) == 0);
}

TEST_CASE("schedule: the golden curves of rsqrt, cosine and linear") {
  const SafetensorsFile& file = golden_ops();
  for (const std::string name : {"rsqrt", "cosine", "linear"}) {
    const auto setting = [&](const std::string& key, const std::string& absent) {
      const auto found = file.metadata.find("schedule." + name + "." + key);
      return found == file.metadata.end() ? absent : found->second;
    };
    const Schedule schedule{parse_schedule_kind(name), std::stoll(setting("total", "")),
                            std::stoll(setting("warmup", "")), std::stoll(setting("cooldown", "0")),
                            std::stoll(setting("timescale", "1"))};
    CHECK_CLOSE(rates(schedule, std::stod(setting("peak", "")), schedule.total_steps),
                file.tensors.at("schedule." + name), tolerance::kGoldenF64);
  }
}

TEST_CASE("schedule: constant is 1 after its warmup, forever, unless it cools down") {
  CHECK_CLOSE(rates({Kind::constant, 4, 2}, 1, 7), from_vector<double>({7}, {0, 0.5, 1, 1, 1, 1, 1}),
              tolerance::kExact);
  CHECK_CLOSE(rates({Kind::constant, 6, 2, 2}, 1, 8), from_vector<double>({8}, {0, 0.5, 1, 1, 1, 0.5, 0, 0}),
              tolerance::kExact);
}

TEST_CASE(
    "schedule: cosine and linear end at 0 and stay there, also without a single step after the warmup") {
  for (const Kind kind : {Kind::cosine, Kind::linear}) {
    CHECK(schedule_factor({kind, 10, 2}, 2) == 1);
    CHECK(schedule_factor({kind, 10, 2}, 6) == doctest::Approx(0.5));
    CHECK(schedule_factor({kind, 10, 2}, 10) == 0);
    CHECK(schedule_factor({kind, 10, 2}, 11) == 0);
    CHECK(schedule_factor({kind, 3, 3}, 3) == 1);
    CHECK(schedule_factor({kind, 0, 0}, 0) == 1);
  }
}

TEST_CASE("schedule: rsqrt with the timescale of its warmup falls like the inverse square root of the step") {
  const Schedule rsqrt{Kind::rsqrt, 100000, 100, 0, 100};
  for (const int64_t step : {100, 400, 10000})
    CHECK(schedule_factor(rsqrt, step) == doctest::Approx(std::sqrt(100.0 / double(step))));
}

TEST_CASE("schedule: unknown names and steps that do not fit are refused") {
  CHECK_THROWS_WITH_AS(parse_schedule_kind("step"),
                       "schedule: \"step\" is unknown; expected const, linear, cosine or rsqrt", ValueError);
  CHECK_THROWS_WITH_AS(schedule_factor({}, -1), "schedule: step is -1; expected 0 or more", ValueError);
  CHECK_THROWS_WITH_AS(validate({Kind::cosine, 10, 11}),
                       "schedule: warmup_steps is 11; expected 0 to total_steps, which is 10", ValueError);
  CHECK_THROWS_WITH_AS(validate({Kind::rsqrt, 10, 4, 7}),
                       "schedule: cooldown_steps is 7; expected 0 to 6, the steps after the warmup",
                       ValueError);
  CHECK_THROWS_WITH_AS(validate({Kind::cosine, 10, 4, 1}),
                       "schedule: cooldown_steps is 1; expected 0 to 0, as linear and cosine end at 0 anyway",
                       ValueError);
  CHECK_THROWS_WITH_AS(validate({Kind::rsqrt, 10, 4, 0, 0}), "schedule: timescale is 0; expected 1 or more",
                       ValueError);
  CHECK_THROWS_AS(validate({Kind::constant, -1}), ValueError);
  CHECK_NOTHROW(validate({Kind::rsqrt, 10, 4, 6}));
}
