#include "tensor/cpu_level.h"

#include <cstdlib>
#include <string_view>

#include "tensor/error.h"

// Where the program is the portable one, its main() defines it.
extern "C" const char* limoe_level_choice __attribute__((weak));

namespace limoe {

std::string cpu_level() {
  return LIMOE_MARCH;
}

std::string cpu_level_in_words() {
  return &limoe_level_choice ? cpu_level() + ", " + limoe_level_choice : cpu_level();
}

void expect_level_of_environment() {
  const char* const wish = std::getenv("LIMOE_LEVEL");
  if (wish && std::string_view(wish) != LIMOE_MARCH)
    throw UsageError("LIMOE_LEVEL: is \"", wish, "\"; expected ", LIMOE_MARCH,
                     ", the one level in this program (a build with -DPORTABLE=ON holds three)");
}

}  // namespace limoe
