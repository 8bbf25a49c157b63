// Every case of bench/*_bench.cpp. The table is written by the build, from the names of those files.
#pragma once

#include <string>
#include <vector>

#include "bench/support/bench_case.h"

namespace limoe::bench {

std::vector<BenchCase> all_bench_cases();  // by file, in the order each declares them

// The cases of these ops (all of them when `ops` is empty), without the other versions unless asked for. "op"
// or "op/pass"; "softmax/forward" is one pass of it. Throws UsageError naming the nearest known op.
std::vector<BenchCase> select_cases(const std::vector<BenchCase>& all, const std::vector<std::string>& ops,
                                    bool all_versions);

std::vector<std::string> op_names(const std::vector<BenchCase>& cases);  // each once, in order

}  // namespace limoe::bench
