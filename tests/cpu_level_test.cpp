#include "tensor/cpu_level.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/limoe_says.h"

using namespace limoe;
using testing::limoe_says;

namespace {

// LIMOE_LEVEL as said, until the end of the test.
struct LevelOfEnvironment {
  explicit LevelOfEnvironment(const std::string& level) { setenv("LIMOE_LEVEL", level.c_str(), 1); }
  ~LevelOfEnvironment() { unsetenv("LIMOE_LEVEL"); }
};

}  // namespace

TEST_CASE("cpu level: a program with one level says which, and follows a LIMOE_LEVEL that names it") {
  CHECK(cpu_level() == LIMOE_MARCH);
  CHECK(cpu_level_in_words() == LIMOE_MARCH);
  const LevelOfEnvironment level(LIMOE_MARCH);
  CHECK(limoe_says({"ops", "list"}).status == 0);
}

TEST_CASE("cpu level: a LIMOE_LEVEL that the program does not hold is refused, not passed over") {
  for (const std::string wish : {"", "x86-64-v9", "native"}) {
    const LevelOfEnvironment level(wish);
    const testing::Said said = limoe_says({"ops", "list"});
    CHECK(said.status == 2);
    CHECK(said.errors == "limoe: LIMOE_LEVEL: is \"" + wish +
                             "\"; expected " LIMOE_MARCH
                             ", the one level in this program (a build with -DPORTABLE=ON holds three)\n");
  }
}
