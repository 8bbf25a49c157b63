// The program limoe_bench, which the build puts beside limoe where google-benchmark is installed: the op
// benches.
#pragma once

#include <string>
#include <vector>

namespace limoe {

// Becomes that program: its output and exit status are this one's. Throws FileError when it is not there.
[[noreturn]] void become_bench_program(const std::vector<std::string>& arguments);

// What it prints to the standard output; "" when it is not there or fails.
std::string bench_program_output(const std::vector<std::string>& arguments);

}  // namespace limoe
