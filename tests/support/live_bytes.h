// What of the CPU's memory is handed out, for tests of what a graph keeps.
#pragma once

#include <any>
#include <functional>

#include "tensor/caching_allocator.h"

namespace limoe::testing {

// A cached block of another test may be larger than what is asked for, and counts as a whole.
inline void forget_larger_blocks() {
  allocator_of({}).empty_cache();
}

inline size_t live_bytes() {
  return allocator_of({}).counts().live_bytes;
}

// Bytes that live on after `make` because of what it gave back.
inline size_t bytes_kept(const std::function<std::any()>& make) {
  forget_larger_blocks();
  const size_t before = live_bytes();
  const std::any made = make();
  return live_bytes() - before;
}

}  // namespace limoe::testing
