// A trace (models/train/trace.h) of several steps, added up by kind of op.
#pragma once

#include <string>
#include <vector>

#include "models/cli/bench_step.h"

namespace limoe {

// Times, calls, FLOP and bytes of one step, the longest first. FLOP of products are counted from the shapes
// of the output and of the kernel, the second input; experts count the rows of their buffer. `attention_flop`
// are those of one attention forward; backward takes five products for its two. Bytes are those of the
// output, times the number of arrays of that size an op reads and writes. What a step spends outside of ops
// and phases is "other".
std::vector<OpTime> op_times(const std::string& trace_json, int64_t steps, double attention_flop);

}  // namespace limoe
