// What of the CPU's memory is handed out, for tests of what a graph keeps.
#pragma once

#include "tensor/caching_allocator.h"

namespace limoe::testing {

// A cached block of another test may be larger than what is asked for, and counts as a whole.
inline void forget_larger_blocks() {
  allocator_of({}).empty_cache();
}

inline size_t live_bytes() {
  return allocator_of({}).counts().live_bytes;
}

}  // namespace limoe::testing
