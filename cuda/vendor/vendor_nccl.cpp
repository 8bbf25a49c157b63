#include "cuda/vendor_nccl.h"

#include <nccl.h>

#include "cuda/vendor/library.h"
#include "tensor/error.h"

namespace limoe::cuda {

std::string nccl_name(std::string* why) {
  void* const library = open_library("nccl", NCCL_MAJOR);
  if (!library) {
    if (why) *why = concatenate("NCCL cannot be loaded (", dlerror(), ")");
    return "";
  }
  decltype(&ncclGetVersion) version_of = nullptr;
  int version = 0;
  if (!find_function(library, "ncclGetVersion", version_of) || version_of(&version) != ncclSuccess) {
    if (why) *why = "the NCCL that was found does not tell its version";
    return "";
  }
  return concatenate("NCCL ", version / 10000, ".", version / 100 % 100, ".", version % 100);
}

}  // namespace limoe::cuda
