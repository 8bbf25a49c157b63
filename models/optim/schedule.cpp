#include "models/optim/schedule.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace limoe {
namespace {

constexpr double kPi = 3.14159265358979323846;

bool may_cool_down(Schedule::Kind kind) {
  return kind == Schedule::Kind::constant || kind == Schedule::Kind::rsqrt;
}

// The curve after the warmup and before the cooldown.
double curve(const Schedule& schedule, int64_t step) {
  const double since = double(step - schedule.warmup_steps);
  const double share = since / double(std::max<int64_t>(1, schedule.total_steps - schedule.warmup_steps));
  switch (schedule.kind) {
    case Schedule::Kind::constant:
      return 1;
    case Schedule::Kind::linear:
      return 1 - share;
    case Schedule::Kind::cosine:
      return 0.5 * (1 + std::cos(kPi * share));
    case Schedule::Kind::rsqrt:
      return std::sqrt(double(schedule.timescale) / (double(schedule.timescale) + since));
  }
  throw ValueError("schedule: kind number ", int(schedule.kind), " is unknown; expected a known one");
}

}  // namespace

Schedule::Kind parse_schedule_kind(const std::string& name) {
  if (name == "const") return Schedule::Kind::constant;
  if (name == "linear") return Schedule::Kind::linear;
  if (name == "cosine") return Schedule::Kind::cosine;
  if (name == "rsqrt") return Schedule::Kind::rsqrt;
  throw ValueError("schedule: \"", name, "\" is unknown; expected const, linear, cosine or rsqrt");
}

void validate(const Schedule& schedule) {
  const auto fail = [](const char* what, int64_t found, const auto&... expected) {
    throw ValueError("schedule: ", what, " is ", found, "; expected ", expected...);
  };
  if (schedule.total_steps < 0) fail("total_steps", schedule.total_steps, "0 or more");
  if (schedule.warmup_steps < 0 || schedule.warmup_steps > schedule.total_steps)
    fail("warmup_steps", schedule.warmup_steps, "0 to total_steps, which is ", schedule.total_steps);
  if (schedule.timescale < 1) fail("timescale", schedule.timescale, "1 or more");
  const int64_t most = may_cool_down(schedule.kind) ? schedule.total_steps - schedule.warmup_steps : 0;
  if (schedule.cooldown_steps < 0 || schedule.cooldown_steps > most)
    fail("cooldown_steps", schedule.cooldown_steps, "0 to ", most,
         may_cool_down(schedule.kind) ? ", the steps after the warmup"
                                      : ", as linear and cosine end at 0 anyway");
}

double schedule_factor(const Schedule& schedule, int64_t step) {
  if (step < 0) throw ValueError("schedule: step is ", step, "; expected 0 or more");
  if (step < schedule.warmup_steps) return double(step) / double(schedule.warmup_steps);
  const int64_t now = std::min(step, schedule.total_steps);
  const int64_t held = std::min(now, schedule.total_steps - schedule.cooldown_steps);
  const double value = std::max(0.0, curve(schedule, held));
  if (now == held) return value;
  return value * double(schedule.total_steps - now) / double(schedule.cooldown_steps);
}

}  // namespace limoe
