// The ranges that cuda/op_range.h would show a profiler.
#pragma once

#include <string>
#include <vector>

namespace limoe::cuda::sim {

// Those begun since the last call, in order, each with a space for every range around it.
std::vector<std::string> take_op_ranges();

}  // namespace limoe::cuda::sim
