// The `limoe` program: finds the subcommand, runs it, and turns every error into one line.
//
// Exit status: 0 done, 1 it failed, 2 it was called wrongly (an unknown command, flag, key or value; a flag
// that is missing), 85 training was stopped by a signal after saving a checkpoint.
#pragma once

#include <ostream>

namespace limoe {

inline constexpr const char* kVersion = "0.1.0";

// Errors and hints are written to `errors`; --help, --version and results to std::cout.
int run_limoe(int argc, const char* const* argv, std::ostream& errors);

}  // namespace limoe
