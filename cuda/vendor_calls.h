// How many operations this program has given to the vendor's libraries so far. An op that was asked of one
// may still be made by our kernels, where the library has no plan for it: a table of times has to know which.
#pragma once

#include <atomic>
#include <cstdint>

namespace limoe::cuda {

inline std::atomic<int64_t> vendor_calls{0};

}  // namespace limoe::cuda
