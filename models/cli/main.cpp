#include <iostream>

#include "models/cli/cli.h"

int main(int argc, char** argv) {
  return limoe::run_limoe(argc, argv, std::cerr);
}
