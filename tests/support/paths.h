// Where the tests find what is in the repository and what was built.
#pragma once

#include <string>

namespace limoe::testing {

std::string source_path(const std::string& path);       // of a path from the repository's root
std::string golden_path(const std::string& file = "");  // tests/golden/<file>
std::string program_path();                             // the `limoe` program of this build

}  // namespace limoe::testing
