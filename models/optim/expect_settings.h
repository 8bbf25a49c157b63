// Checks of an optimizer's settings: <optimizer>: <setting> is <found>; expected <range>. NaN never passes.
#pragma once

#include "tensor/error.h"

namespace limoe {

inline void expect_share(const char* optimizer, const char* setting, double value) {
  if (!(value >= 0 && value < 1))
    throw ValueError(optimizer, ": ", setting, " is ", value, "; expected 0 or more and below 1");
}

inline void expect_not_negative(const char* optimizer, const char* setting, double value) {
  if (!(value >= 0)) throw ValueError(optimizer, ": ", setting, " is ", value, "; expected 0 or more");
}

inline void expect_positive(const char* optimizer, const char* setting, double value) {
  if (!(value > 0)) throw ValueError(optimizer, ": ", setting, " is ", value, "; expected more than 0");
}

}  // namespace limoe
