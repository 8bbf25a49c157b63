// A command that was asked to end by a signal, did what had to be done before it, and says how to go on.
#pragma once

#include "tensor/error.h"

namespace limoe {

struct StoppedEarly : Error {
  using Error::Error;
};
inline constexpr int kStoppedEarlyStatus =
    85;  // the exit status that batch systems take for "start me again"

}  // namespace limoe
