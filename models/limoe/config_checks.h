// Checks of config values that the model's and the trainer's validate() share.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tensor/error.h"

namespace limoe {

// Keys and their values, in the order they are checked.
template <class T>
using KeyedNumbers = std::vector<std::pair<const char*, T>>;

// Throws ValueError; NaN is refused too.
inline void expect_at_least(const char* key, double value, double least) {
  if (!(value >= least)) throw ValueError("config: ", key, " is ", value, "; expected ", least, " or more");
}

}  // namespace limoe
