// Learning-rate schedules: a factor of the peak rate as a pure function of the step, so that a resumed run
// continues on the same curve.
//
//   warmup       step / warmup_steps, for steps below warmup_steps; then, with s steps since the warmup:
//   constant     1
//   linear       1 - s / (total_steps - warmup_steps)
//   cosine       (1 + cos(pi s / (total_steps - warmup_steps))) / 2
//   rsqrt        sqrt(timescale / (timescale + s)): with a timescale of warmup_steps, the inverse square root
//                of the step (Zhai et al., "Scaling vision transformers", 2022)
//
// constant and rsqrt may end in a cooldown: over the last cooldown_steps, the value where it begins falls
// linearly to 0 at total_steps. Steps count from 0. Beyond total_steps the factor stays what it is there.
#pragma once

#include <cstdint>
#include <string>

namespace limoe {

struct Schedule {
  enum class Kind { constant, linear, cosine, rsqrt };
  Kind kind = Kind::constant;
  int64_t total_steps = 0;
  int64_t warmup_steps = 0;
  int64_t cooldown_steps = 0;
  int64_t timescale = 10000;  // rsqrt alone
};

// "const", "linear", "cosine", "rsqrt"; throws ValueError for anything else.
Schedule::Kind parse_schedule_kind(const std::string& name);

// Throws ValueError when warmup and cooldown do not fit into the total, or a number is negative.
void validate(const Schedule& schedule);

// In [0, 1], for step >= 0.
double schedule_factor(const Schedule& schedule, int64_t step);

}  // namespace limoe
