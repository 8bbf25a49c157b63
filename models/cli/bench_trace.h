// A trace (models/train/trace.h) of several steps, added up by kind of op.
#pragma once

#include <string>
#include <vector>

#include "autograd/parameter.h"
#include "models/cli/bench_step.h"

namespace limoe {

// Times, calls, FLOP and bytes of one step, the longest first. FLOP are counted for the products with a
// kernel of the arena, from the rows of the output and the kernel of the op's layer; experts count the rows
// of their buffer. `attention_flop` are those of one attention forward; backward takes five products for its
// two. Bytes are those of the output, times the number of arrays of that size an op reads and writes. What a
// step spends outside of ops and phases is "other".
std::vector<OpTime> op_times(const std::string& trace_json, int64_t steps, const ParameterArena& arena,
                             double attention_flop);

}  // namespace limoe
