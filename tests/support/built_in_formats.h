// Tests of picture formats that need an optional library pass over what this build cannot read.
#pragma once

#include <string>

#include "data/image.h"

namespace limoe::testing {

inline bool can_decode(const std::string& name) {
  if (name.ends_with(".webp")) return webp_is_built_in();
  if (name.ends_with(".bmp") || name.ends_with(".gif")) return stb_image_is_built_in();
  return true;
}

}  // namespace limoe::testing
