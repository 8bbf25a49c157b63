// The one file that is compiled with the places of this build.
#include "tests/support/paths.h"

namespace limoe::testing {

std::string source_path(const std::string& path) {
  return std::string(LIMOE_SOURCE_DIR) + "/" + path;
}

std::string golden_path(const std::string& file) {
  return source_path("tests/golden/" + file);
}

std::string program_path() {
  return LIMOE_PROGRAM;
}

}  // namespace limoe::testing
