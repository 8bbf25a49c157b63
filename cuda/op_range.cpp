#include "cuda/op_range.h"

#include <cstdlib>
#include <cstring>

namespace limoe::cuda {
namespace {

bool& wanted_flag() {
  static bool wanted = [] {
    const char* const value = std::getenv("LIMOE_NVTX");
    return value && std::strcmp(value, "0") != 0;
  }();
  return wanted;
}

}  // namespace

void name_ops(bool wanted) {
  wanted_flag() = wanted;
}
bool names_ops() {
  return wanted_flag();
}

}  // namespace limoe::cuda
