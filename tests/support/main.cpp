#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <string_view>

#include "tests/support/device.h"

// doctest's own flags, and --require-gpu: checks that need a GPU fail without one instead of saying that they
// are left out.
int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) == "--require-gpu") limoe::testing::require_gpu();
  return doctest::Context(argc, argv).run();
}
